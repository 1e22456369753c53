# syntax=docker/dockerfile:1
# hubel for pipelines: requirements.lock exactly, as setup.sh installs it, and hubel on the PATH of a user who is not root.
#
#   docker build --file docker/hubel.Dockerfile --tag registry/hubel:1 .
#   docker run --rm --volume hubel:/workspace registry/hubel:1 run digits_lenet5
#
# TFX has packages for linux/amd64 alone. docs/deployment.md has the rest.
ARG PYTHON=python:3.11-slim-bookworm

# hadolint ignore=DL3029
FROM --platform=linux/amd64 ${PYTHON} AS made
# pyfarmhash is C++ source; without a compiler setup.sh goes on with a slower stand-in, and says so.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends g++ \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/hubel
COPY setup.sh setup.py pyproject.toml README.md requirements.in overrides.txt requirements.lock ./
COPY configs configs
COPY keras_models keras_models
COPY components components
COPY tuner tuner
COPY pipelines pipelines
COPY serving serving
COPY reports reports
RUN --mount=type=cache,target=/root/.cache/pip sh setup.sh

# hadolint ignore=DL3029
FROM --platform=linux/amd64 ${PYTHON}
RUN useradd --uid 10001 --user-group --create-home hubel \
    && install --directory --owner=hubel --group=hubel /workspace
COPY --from=made /opt/hubel /opt/hubel
ENV PATH=/opt/hubel/.venv/bin:$PATH HUBEL_WORKSPACE=/workspace PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /home/hubel
VOLUME /workspace
ENTRYPOINT ["hubel"]
CMD ["--help"]
