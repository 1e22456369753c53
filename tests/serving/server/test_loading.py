"""What lies beside a model is replayed before it answers."""

import shutil

import pytest

from serving.server import loading
from serving.server.status import ServingError
from tests.serving.server import half_plus_two


def test_warm_up_requests_are_replayed_and_one_that_fails_is_a_load_that_fails(models, servable, tmp_path):
    assert servable.warmup.requests == 3
    assert servable.warmup.seconds > 0
    assert servable.warmup.signatures["serving_default"].batch_sizes == (1,)
    assert servable.warmup.cold == ("classify_x_to_y", "regress_x2_to_y3", "regress_x_to_y")
    copy = shutil.copytree(models / "half_plus_two" / "123", tmp_path / "1")
    half_plus_two.write_warmup(copy, 2, alias="wrong")
    with pytest.raises(ServingError, match=r"INVALID_ARGUMENT: warm-up request 1 fails: input tensor alias not found"):
        loading.load("m", 1, copy)
    (copy / "assets.extra" / "tf_serving_warmup_requests").write_bytes(b"no records: they begin with a length")
    with pytest.raises(ServingError, match="cannot be read"):
        loading.load("m", 1, copy)
    half_plus_two.write_warmup(copy, 1001)
    with pytest.raises(ServingError, match=r"exceeds the maximum \(1000\)"):
        loading.load("m", 1, copy)
