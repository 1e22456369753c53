"""Worker side: a RunConfig wired as a TFX pipeline, run, and answered from its artifacts. Experiments are many of these."""
