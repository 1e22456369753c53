"""What cannot be is said before anything starts, in one sentence and what to do."""

import pytest

from components.converter import checks, forms
from configs import load
from configs.errors import UsageError
from configs.schema.variants import VariantsConfig


def refused(task="classification", reads="image", crops=False, **asked) -> tuple[str, str]:
    with pytest.raises(UsageError) as raised:
        checks.check(VariantsConfig.model_validate(asked), task, reads, crops)
    return raised.value.message, raised.value.hint


@pytest.mark.parametrize("name", ["inte8", "INT8", "fp16"])
def test_an_unknown_variant_is_named(name):
    with pytest.raises(UsageError, match=r"export.variants") as raised:
        load.load("digits_lenet5", [f"export.variants=[{name}]"])
    assert name in raised.value.message
    assert "int8_weights" in str(raised.value.message + raised.value.hint)


def test_one_that_stands_twice_is_refused():
    with pytest.raises(UsageError, match="int8 stands twice"):
        load.load("digits_lenet5", ["export.variants=[int8, onnx, int8]"])


def test_what_is_not_installed_is_said_with_what_installs_it(monkeypatch):
    monkeypatch.setattr(forms, "find_spec", lambda name: None if name != "onnx" else object())
    message, hint = refused(variants=["float16", "onnx"])
    assert message == "export.variants names onnx, which needs tf2onnx and onnxruntime."
    assert hint == "Install the extra: pip install 'hubel[onnx]', or take onnx out."
    checks.check(VariantsConfig(variants=["int8"]), "classification", "image", False)


def test_a_model_of_texts_or_of_crops_is_refused():
    assert "this one reads text" in refused(reads="text", variants=["float32"])[0]
    assert "export.crops" in refused(crops=True, variants=["float32"])[0]
    checks.check(VariantsConfig(), "classification", "text", True)  # who asks for nothing is refused nothing


@pytest.mark.parametrize(
    ("task", "metric", "known"),
    [
        ("classification", "acuracy", "accuracy, cross_entropy, macro_f1"),
        ("reconstruction.variational", "log_likelihood", "mse, psnr, ssim, ms_ssim"),
        ("anomaly:reconstruction", "sparsity", "auroc"),
    ],
)
def test_a_loss_of_what_a_converted_model_does_not_tell_is_refused(task, metric, known):
    message, hint = refused(task=task, max_loss={metric: 0.1})
    assert repr(metric) in message
    assert known in hint


def test_bounds_are_the_task_s_unless_the_config_says_otherwise():
    from components.tasks.judges.by_name import judge_of

    judge = judge_of("anomaly:reconstruction")
    assert checks.bounds(VariantsConfig(), judge) == {"auroc": 0.01, "psnr": 0.5}
    assert checks.bounds(VariantsConfig(max_loss={"psnr": 1.0, "mse": 0.0}), judge) == {"auroc": 0.01, "psnr": 1.0, "mse": 0.0}


def test_trainer_is_told_nothing_of_variants():
    config = load.load("digits_lenet5", ["export.variants=[int8]", "export.max_loss={accuracy: 0.02}", "export.top_k=3"])
    assert config.export.of_graph.model_dump().keys() == {"top_k", "crops", "draws", "warmup", "warmup_batches", "temperature"}
    assert config.export.of_graph.top_k == 3
    assert config.export.of_variants.model_dump() == {"variants": ["int8"], "max_loss": {"accuracy": 0.02}, "calibration": 100}
