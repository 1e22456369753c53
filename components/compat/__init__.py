"""What the libraries of the pipeline keep to themselves and hubel needs, and what is mended in them: one file a library.

No other file of `components`, `tuner` or `pipelines` uses a private name or changes something of a library's; Keras's stand in
keras_models/compat.py. tests/components/compat/test_private_names.py holds both to it, and says after an upgrade what is gone.
"""
