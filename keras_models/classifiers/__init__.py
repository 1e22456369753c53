"""Classifiers, one file a paper family: image -> logits."""
