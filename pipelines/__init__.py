"""What is wired: the pipeline, its runner, the workspace and the command line."""
