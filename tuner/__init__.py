"""What is searched: the config's own dotted paths, through Trainer's own steps."""
