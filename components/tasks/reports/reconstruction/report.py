"""The page of an autoencoder, whatever its family."""

import importlib

from components.tasks.reports import base
from components.tasks.reports.reconstruction import sections as own
from components.tasks.reports.reconstruction.looked import Looked
from configs import by_name


class Report(base.Report):
    """Every section of the folder that has something to show."""

    def sections(self, material):
        looked = Looked(material)
        names = by_name.names(own.__path__, ["section"])
        modules = {name: importlib.import_module(f"{own.__name__}.{name}") for name in names}
        if material.judged and material.model is None:
            names = [name for name in names if getattr(modules[name], "WITHOUT_NETWORK", False)]
            yield _named("network", lambda: material.need("model"))
        for name in sorted(names, key=lambda name: (modules[name].ORDER, name)):
            yield _named(name, lambda made=modules[name]: made.section(looked))


def _named(name, make):
    make.__name__ = name
    return make
