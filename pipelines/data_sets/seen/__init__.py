"""How a person sees what a source holds, for `hubel init` and `hubel datasets preview`: a file a kind of input, found by its name.

A kind named `x` is the classes `Seen`, of the sample that `init` looks at, and `Preview`, of training examples, in
pipelines/data_sets/seen/x.py. Without such a file, or one of the two, it is said how many are damaged, and shown what is measured
of each (pipelines.data_sets.seen.base). Used in the worker process.
"""
