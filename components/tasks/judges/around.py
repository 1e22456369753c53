"""The judge of a task around another one: what it does not answer itself, the inner task's judge answers."""

from components.tasks.judges import base


class Around(base.Judge):
    """Subclass as `Judge`. `inner` is the judge of the task within, complete. Every question of base.Judge is passed on here; a
    test holds the two together."""

    is_around = True
    metrics = property(lambda self: self.inner.metrics)
    measured = property(lambda self: self.inner.measured)
    per_class = property(lambda self: self.inner.per_class)
    compared = property(lambda self: self.inner.compared)
    signature = property(lambda self: self.inner.signature)
    prediction_key = property(lambda self: self.inner.prediction_key)
    label_key = property(lambda self: self.inner.label_key)
    class_key = property(lambda self: self.inner.class_key)
    may_lose = property(lambda self: self.inner.may_lose)
    converted = property(lambda self: self.inner.converted)
    remade = property(lambda self: self.inner.remade)

    def __init__(self, inner: base.Judge):
        self.inner = inner

    def asked(self, pixels, card):
        return self.inner.asked(pixels, card)

    def answered(self, outputs, pixels, labels):
        return self.inner.answered(outputs, pixels, labels)

    def each(self, outputs, label):
        return self.inner.each(outputs, label)

    def measure(self, model, card, images):
        return self.inner.measure(model, card, images)

    def measure_labels(self, model, card, images):
        return self.inner.measure_labels(model, card, images)

    def of_classes(self, rows):
        return self.inner.of_classes(rows)

    def of_images(self, rows):
        return self.inner.of_images(rows)

    def having(self, rows):
        return self.inner.having(rows)

    def remarks(self, card, metrics, rows=base.NOTHING):
        return self.inner.remarks(card, metrics, rows)

    def compare(self, model, card, images):
        return self.inner.compare(model, card, images)
