"""What is shown of autoencoders, of all families alike: which sections there are follows from what a model has, see `sections`."""
