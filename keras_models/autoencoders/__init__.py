"""Autoencoders, one file a family: image -> code -> image, with sub-models named encoder and decoder."""
