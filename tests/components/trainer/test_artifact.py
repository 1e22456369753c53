"""Models that are read back."""

import pytest

from components import keys
from components.trainer import artifact
from configs.errors import HubelError
from tests.components import digits


def test_a_keras_model_that_is_gone_is_a_sentence(tmp_path):
    (tmp_path / keys.CARD_FILE).write_text(digits.card().model_dump_json())
    with pytest.raises(HubelError, match=r"model\.keras is gone") as caught:
        artifact.load(str(tmp_path))
    assert "again" in caught.value.hint
