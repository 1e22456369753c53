"""Features of a tf.Example, as signatures of examples read them."""

OF = {"image": "image/encoded", "text": "text/bytes"}  # kind of input, as components.inputs has it -> the feature of its bytes
