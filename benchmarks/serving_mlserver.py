"""MLServer's runtime for a SavedModel, which benchmarks/serving.py names in model-settings.json: V2, POST /v2/models/NAME/infer."""

from mlserver import MLModel
from mlserver.codecs import Base64Codec, NumpyCodec, StringCodec
from mlserver.types import InferenceRequest, InferenceResponse


class SavedModel(MLModel):
    """`image_bytes`, a list of base64."""

    async def load(self) -> bool:
        import tensorflow as tf

        self._loaded = tf.saved_model.load(self.settings.parameters.uri)
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        import tensorflow as tf

        images = Base64Codec.decode_input(payload.inputs[0])
        outputs = []
        for alias, tensor in self._loaded.signatures["image_bytes"](image_bytes=tf.constant(images)).items():
            array = tensor.numpy()
            if tensor.dtype == tf.string:
                names = [name.decode() for name in array.ravel()]
                encoded = StringCodec.encode_output(alias, names)
                encoded.shape = list(array.shape)
                outputs.append(encoded)
            else:
                outputs.append(NumpyCodec.encode_output(alias, array))
        return InferenceResponse(model_name=self.name, outputs=outputs)
