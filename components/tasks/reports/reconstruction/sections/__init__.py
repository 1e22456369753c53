"""Sections of an autoencoder's page: a file each, found by its name, with `ORDER: int` and `section(looked) -> Section | None`,
None where the model has nothing of the kind. One with `WITHOUT_NETWORK = True` can do without what the network says."""
