"""Images: files, and folders that are searched for them as a source's are."""

from collections.abc import Iterator, Sequence

from pipelines.verbs import images
from pipelines.verbs.asking import base
from pipelines.verbs.served import Served


class Asking(base.Asking):
    """A row is {file, size: [height, width] or None, resized: whether the model saw another size, ...} as of images.row."""

    unshown = frozenset({"size", "resized", "changes", "frames"})

    def examples(self, given, model, out=None):
        """Raises UsageError as pipelines.verbs.images.files."""
        self.refuse_texts(given, model)
        return images.files(given.files, out)

    def answers(self, served: Served, examples: Sequence) -> Iterator[base.Told]:
        for answer in images.answers(served.predicting, examples, served.prepared):
            row = images.row(answer)
            if answer.error is None:
                row["resized"] = served.resizes(row)
            yield base.Told(row, answer.outputs)

    def frame(self, served, row, gives):
        """For masks alone: what else a picture is stays as the model makes it."""
        return served.frame(row["size"]) if "mask" in gives.values() and row["size"] else None

    def picture(self, served, encoded):
        return served.seen(encoded)

    def summary(self, served, rows):
        """{model, size: [height, width, channels], resized and changes: how many}."""
        return served.summary(rows)
