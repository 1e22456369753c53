"""Convolution in groups: Krizhevsky, Sutskever & Hinton 2012, "ImageNet classification with deep convolutional neural networks",
NeurIPS, section 3.5: kernels that see only the maps of their own GPU."""

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable(package="hubel")
class GroupedConv2D(layers.Conv2D):
    """Keras's Conv2D with `groups`, computed as one convolution a group: same arguments, weights and results.

    TensorFlow has no gradient of grouped convolution on CPUs, so Keras compiles it with XLA; a training step of AlexNet's second
    layer then takes twelve times as long as here (one thread, 8 images).
    """

    def convolution_op(self, inputs, kernel):
        inputs = ops.split(inputs, self.groups, axis=-1)
        kernels = ops.split(kernel, self.groups, axis=-1)
        convolve = super().convolution_op
        return ops.concatenate([convolve(*pair) for pair in zip(inputs, kernels, strict=True)], axis=-1)
