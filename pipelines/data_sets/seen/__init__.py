"""What the sample of a source that `hubel init` looks at has in common: one file a kind of input, found by its name.

A kind named `x` is the class `Seen` in pipelines/data_sets/seen/x.py; of one without such a file it is said how many are damaged
(pipelines.data_sets.seen.base). Used in the worker process.
"""
