"""What is asked: a model, and which version of it."""

from urllib.parse import quote


class Place:
    """A model, and the version or label of it that is meant, in a path."""

    def __init__(self, model: str, version: int | None, label: str | None):
        self.model, self.version, self.label = model, version, label
        self.path = quote(model, safe="")
        if version is not None:
            self.path += f"/versions/{version}"
        elif label is not None:
            self.path += f"/labels/{quote(label, safe='')}"
