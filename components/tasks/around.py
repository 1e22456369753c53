"""A task around another one, named `x:y`: what it does not answer itself, the inner one answers."""

from components.tasks import base


class Around(base.Task):
    """Subclass as `Task` in a file of this folder. `inner` is the task that it is around, complete: what that asks itself, such as
    its pairs while it fits, stays its own.

    Every question of base.Task is passed on here; a test holds the two together.
    """

    is_around = True
    targets = property(lambda self: self.inner.targets)
    instead = property(lambda self: self.inner.instead)
    mix = property(lambda self: self.inner.mix)
    class_weight = property(lambda self: self.inner.class_weight)
    weigh = property(lambda self: self.inner.weigh)
    weights = property(lambda self: self.inner.weights)
    smooth = property(lambda self: self.inner.smooth)
    losses = property(lambda self: self.inner.losses)
    cleans = property(lambda self: self.inner.cleans)
    classes = property(lambda self: self.inner.classes)
    is_closed_form = property(lambda self: self.inner.is_closed_form)
    keeps_head = property(lambda self: self.inner.keeps_head)
    crops = property(lambda self: self.inner.crops)
    temperature = property(lambda self: self.inner.temperature)
    judged_by = property(lambda self: self.inner.judged_by)
    better = property(lambda self: self.inner.better)
    averages = property(lambda self: self.inner.averages)
    judged_with = property(lambda self: self.inner.judged_with)
    predicts = property(lambda self: self.inner.predicts)

    def __init__(self, inner: base.Task):
        self.inner = inner

    def check(self, info):
        self.inner.check(info)

    def check_config(self, normalize, augmented):
        self.inner.check_config(normalize, augmented)

    def doubts(self, model):
        return self.inner.doubts(model)

    def pair(self, pixels, targets):
        return self.inner.pair(pixels, targets)

    def compile(self, model, make):
        self.inner.compile(model, make)

    def signatures(self, model, card):
        return self.inner.signatures(model, card)

    def derived(self, figures):
        return self.inner.derived(figures)

    def of_model(self, model):
        return self.inner.of_model(model)

    def fit(self, model, data, train, first_epoch, callbacks):
        self.inner.fit(model, data, train, first_epoch, callbacks)

    def start(self, model, earlier):
        return self.inner.start(model, earlier)

    def calibrate(self, model, data, card):
        return self.inner.calibrate(model, data, card)

    def beside(self, model):
        return self.inner.beside(model)
