"""What TF Serving asks of a machine for a model: a start, reckoned from its files and images. A load test says what it needs."""

import math
from dataclasses import dataclass

from serving.deployment.model import Model

MIB = 2**20
SERVER = 256 * MIB  # the server itself
COPIES = 3  # of a version's files in memory: variables, constants that the runtime folds, and the graph
PIXELS = 2**25  # the most that an image of a graph of hubel's may have
FLOAT, BYTE = 4, 1  # bytes of a channel: resized, and decoded
STEP = 64 * MIB  # memory is rounded up to
SMALL, LARGE = 8 * MIB, 128 * MIB  # of one version: what a single core answers quickly, and what wants four


@dataclass(frozen=True)
class Resources:
    """Cores, and bytes of memory: what is kept free for it, and the most that it may take."""

    cores: int
    requested: int
    limit: int

    def amounts(self) -> dict[str, dict[str, str]]:
        """As Kubernetes writes it."""
        return {
            "requests": {"cpu": f"{self.cores * 500}m", "memory": mebibytes(self.requested)},
            "limits": {"cpu": str(self.cores), "memory": mebibytes(self.limit)},
        }


def of(model: Model, max_request: int) -> Resources:
    """Of a server of one model.

    Args:
        max_request: bytes of the largest request; as many requests of that size as there are cores are held at a time, and of
            models that read images as many of the largest images that their graph decodes.
    """
    largest = max(model.versions.values())
    cores = 1 if largest < SMALL else 2 if largest < LARGE else 4
    held = COPIES * (sum(model.versions.values()) + largest)  # a new version is loaded before the old one goes
    decoding = PIXELS * model.channels * (FLOAT + BYTE)
    requested = _rounded(SERVER + held + cores * max_request)
    return Resources(cores, requested, _rounded(requested + cores * (2 * max_request + decoding)))


def mebibytes(size: int) -> str:
    """Such as "512Mi"."""
    return f"{size // MIB}Mi"


def _rounded(size: int) -> int:
    return math.ceil(size / STEP) * STEP
