"""What is measured of requests and answers, and kept of it: numbers alone, never an image or a text.

measures.py: of one request. cells.py: numbers and names in a bounded place, which can be put together. windows.py: by time.
written.py: a version's file. proto.py: the same as tensorflow_metadata has statistics, for TFDV. The same measures are taken of the
test split when a model is pushed (components/pusher), so that `hubel drift` compares like with like. Imports no TensorFlow but for
tf.Examples.
"""
