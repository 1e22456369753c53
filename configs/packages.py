"""What hubel consists of."""

PACKAGES = ("configs", "keras_models", "components", "tuner", "pipelines", "serving", "reports")
