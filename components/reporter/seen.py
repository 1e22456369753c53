"""How an example of a kind of input is seen and measured on a page, where the kind has a file in components/inputs/reports."""

import importlib
from types import ModuleType
from typing import Literal

import numpy as np

from components import inputs
from components.inputs import reports
from configs import by_name
from configs.errors import HubelError
from reports.run.blocks import Picture


def noun(reads: str) -> str:
    """What an example is called."""
    return inputs.storage_of(reads).noun


def asked_about(reads: str, split: str, many: int, total: int, unlabelled: int) -> str:
    """Such as "359 test images": of how many that is not all, and how many without a label are none of them."""
    of = f"{many:,} {split} {noun(reads)}s"
    if total > many + unlabelled:
        of += f" of {total:,}, chosen by a hash of their ids"
    return f"{of} ({unlabelled:,} without a label are left out)" if unlabelled else of


def check_finite(answered: np.ndarray) -> None:
    """Raise HubelError where answers [N, ...] hold what is no finite number: nothing that is said of them would be true."""
    if broken := int((~np.isfinite(answered.reshape(len(answered), -1))).any(1).sum()):
        raise HubelError(f"{broken:,} of {len(answered):,} answers hold what is no finite number.")


def picture(reads: str, given: np.ndarray, alt: str, caption: str = "", mark: Literal["", "good", "bad"] = "") -> Picture | None:
    """What a model gets of one example, seen; None of a kind that is not."""
    module = _module(reads)
    return module.of_pixels(given, alt, caption, mark) if module and hasattr(module, "of_pixels") else None


def kept(reads: str, encoded: bytes, alt: str, caption: str = "", mark: Literal["", "good", "bad"] = "") -> Picture | None:
    """What ExampleGen kept of one example, seen; None of a kind that is not."""
    module = _module(reads)
    return module.thumbnail(encoded, alt, caption, mark) if module and hasattr(module, "thumbnail") else None


def properties(reads: str, given: np.ndarray, sizes: np.ndarray) -> dict[str, np.ndarray]:
    """What examples are like, by name, float [N] each; none of a kind that measures nothing. Arguments as of a Sample."""
    module = _module(reads)
    return module.properties(given, sizes) if module and hasattr(module, "properties") else {}


def _module(reads: str) -> ModuleType | None:
    path = by_name.module(reports.__name__, reads)
    return importlib.import_module(path) if path else None
