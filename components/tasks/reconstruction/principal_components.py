"""Principal components in closed form: an autoencoder whose best weights are known without a gradient."""

import keras

from components.tasks.reconstruction import linear, pca
from components.tasks.reconstruction.pixels import unit
from components.tasks.reconstruction.task import MSE
from configs.errors import HubelError, UsageError
from keras_models import normalize


class Task(linear.Task):
    """Models have sub-models `encoder` and `decoder` of one linear dense layer each, named "code" and "pixels".

    Fitted on the training split as it is, without augmentation; exactly up to pca.MAX_EXACT values an image.
    """

    is_closed_form = True

    def check_config(self, normalize, augmented):
        if normalize != "unit":
            raise UsageError(
                "Principal components are found of pixels / 255, and the images are normalised otherwise.",
                "Set transform.normalize: unit.",
            )

    def doubts(self, model):
        return []  # exact at any size

    def fit(self, model, data, train, first_epoch, callbacks):
        if first_epoch:
            return  # a killed run had finished this; its weights are restored
        net = normalize.inner(model)
        encoder, decoder = net.get_layer("encoder").get_layer("code"), net.get_layer("decoder").get_layer("pixels")
        _check(encoder.units, data.info.train_images)
        principal = pca.fit(unit(data.plain), encoder.units)
        encoder.set_weights([principal.components.T, -principal.components @ principal.mean])
        decoder.set_weights([principal.components, principal.mean])
        error, on_validation = (principal.mean_squared_error(unit(split)) for split in (data.plain, data.validation))
        figures = {"loss": error, MSE: error, "val_loss": on_validation, f"val_{MSE}": on_validation}
        events = keras.callbacks.CallbackList(callbacks, model=model, epochs=1, steps=data.steps)
        events.on_train_begin()
        events.on_epoch_begin(0)
        events.on_epoch_end(0, figures)
        events.on_train_end()


def _check(components: int, images: int) -> None:
    if components > images:
        raise HubelError(
            f"{images} training images have no {components} principal components.",
            "Use more images, or a smaller model.options.code_size.",
        )
