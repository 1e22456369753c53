"""The command line: verbs that parse, ask and print. Light: no TensorFlow, no TFX; `hubel --help` takes half a second.

A verb's answer is computed elsewhere: by pipelines.workspace from files, or in a worker process through pipelines.process.
"""
