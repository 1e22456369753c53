# syntax=docker/dockerfile:1
# TensorFlow Serving with one model in it. Its context is a folder that `hubel deploy` rendered, and the model's versions beside it:
#
#   hubel deploy digits_lenet5 --to compose --storage image --image registry/digits:1 --out deployed
#   cp -r workspace/models/digits_lenet5 deployed
#   docker build --file docker/serving.Dockerfile --build-arg MODEL=digits_lenet5 --tag registry/digits:1 deployed
#   docker run --rm --publish 127.0.0.1:8501:8501 registry/digits:1
ARG TF_SERVING=tensorflow/serving:2.21.0

FROM ${TF_SERVING}
ARG MODEL
COPY tf-serving /etc/tf-serving
COPY ${MODEL} /models/${MODEL}
USER 10001:10001
EXPOSE 8500 8501
ENTRYPOINT ["tensorflow_model_server", "--port=8500", "--rest_api_port=8501", \
    "--model_config_file=/etc/tf-serving/model.config", "--allow_version_labels_for_unavailable_models=true", \
    "--monitoring_config_file=/etc/tf-serving/monitoring.config"]
CMD []
