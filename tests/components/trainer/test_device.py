"""A missing GPU is said, not hidden."""

import pytest
import tensorflow as tf

from components import progress
from components.trainer import device


@pytest.mark.parametrize(("cards", "told"), [([], ["no GPU: training on the CPU"]), (["GPU:0"], [])])
def test_only_a_missing_gpu_is_told(monkeypatch, cards, told):
    said = []
    monkeypatch.setattr(progress, "_listeners", [said.append])
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: cards)
    device.tell()
    assert [event["text"] for event in said if event["event"] == "note"] == told
