"""LitServe with SavedModels, as benchmarks/serving.py starts it in a Python that has litserve. It is asked by POST /predict {model,
image_bytes: base64}.

The arguments are a port, requests of a batch (1 for none), and NAME=FOLDER of each model.
"""

import base64
import sys

import litserve


class SavedModels(litserve.LitAPI):
    """`image_bytes` of each. The hooks' parameters have the names that LitServe looks for."""

    def __init__(self, models: dict[str, str], batch: int):
        super().__init__(max_batch_size=batch, batch_timeout=0.0 if batch == 1 else 0.002)
        self._folders, self._batch = models, batch

    def setup(self, device):
        import tensorflow as tf

        self._loaded = {name: tf.saved_model.load(folder) for name, folder in self._folders.items()}

    def decode_request(self, request):
        return request["model"], base64.b64decode(request["image_bytes"])

    def batch(self, inputs):
        return inputs

    def predict(self, inputs):
        """[(model, file)] -> [outputs], or one of each without batching."""
        import tensorflow as tf

        requests = [inputs] if self._batch == 1 else inputs
        answers = [{} for _ in requests]
        for name in {name for name, _ in requests}:
            places = [place for place, (model, _) in enumerate(requests) if model == name]
            images = tf.constant([requests[place][1] for place in places])
            outputs = self._loaded[name].signatures["image_bytes"](image_bytes=images)
            for alias, tensor in outputs.items():
                for place, row in zip(places, tensor.numpy().tolist(), strict=True):
                    answers[place][alias] = row
        return answers[0] if self._batch == 1 else answers

    def unbatch(self, output):
        return output

    def encode_response(self, output):
        return output | {"classes": [name.decode() for name in output["classes"]]}


if __name__ == "__main__":
    port, size, *given = sys.argv[1:]
    api = SavedModels(dict(model.split("=", 1) for model in given), int(size))
    litserve.LitServer(api, accelerator="cpu", timeout=60).run(
        host="127.0.0.1", port=int(port), log_level="warning", generate_client_file=False
    )
