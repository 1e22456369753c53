"""TensorFlow: attributes of functions in a graph, which it documents nowhere."""

NOT_INLINED = {"_noinline": True}  # experimental_attributes of a tf.function that stays a call wherever it is called
