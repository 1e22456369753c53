"""Worker side: looking at a data set before it is learned from, for `hubel init` and `hubel preview`."""
