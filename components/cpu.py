"""What the processor can do, and what TensorFlow is told of it before it is imported."""

import os
import re
from pathlib import Path

INFO = Path("/proc/cpuinfo")


def features() -> frozenset[str]:
    """Names of instruction sets as Linux has them, such as avx2, avx512f, avx512_vnni; none where it says none."""
    try:
        listed = re.search(r"^flags\s*: (.+)$", INFO.read_text(), re.MULTILINE)
    except OSError:
        return frozenset()
    return frozenset(listed[1].split()) if listed else frozenset()


def use_onednn() -> None:
    """Have TensorFlow compute by oneDNN wherever there is AVX2.

    By itself it does so on processors with AVX-512 VNNI and newer ones alone; on others its convolutions and their gradients are
    Eigen's, which take twice the time and more (docs/results.md). A person's own TF_ENABLE_ONEDNN_OPTS counts more.
    """
    if "avx2" in features():
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
