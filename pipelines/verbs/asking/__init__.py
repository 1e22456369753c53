"""How a person gives what a model reads, and what is said of each: one file a kind of input, found by its name.

A kind named `x` is the class `Asking` in pipelines/verbs/asking/x.py; one without such a file is given as files, one each
(pipelines.verbs.asking.base). Used in the worker process.
"""
