"""Augmentation: `steps` draws and applies, one file beside it for each kind of operation."""
