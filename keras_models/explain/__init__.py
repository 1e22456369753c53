"""Looking inside trained networks: one file a method, found by its name; whatever has a function `show` is one.

`base` says what a method is asked and what it answers, `network` takes a model apart, `attribution` and `sanity` are what methods
have in common that say which pixels mattered. Keras and NumPy only, no TFX; nothing here draws.

What libraries have of this was looked at first. Xplique 2.0.2 has most of it, and asks for TensorFlow below 2.21, SciPy below
1.16 and OpenCV; it builds on `tf.keras`, which becomes Keras 2 once TensorFlow Transform is imported, and sees no layer of a
model inside a model, as every net behind its normalisation is. tf-keras-vis 0.8.7 (2024) and tf-explain 0.3.1 (2021) know
tf.keras alone, Quantus 0.6 asks for Keras below 3, Captum is PyTorch's. So the methods are written here, from their papers.
"""
