"""Forms that a model is converted to: what each file is called, which script runs it, and what it needs."""

from dataclasses import dataclass
from importlib.util import find_spec

from configs.errors import UsageError


@dataclass(frozen=True)
class Form:
    """ending: of its file. runtime: the script of this folder that runs it. is_exact: whether it computes in float32 throughout, so
    that it must answer as the model does. needs: packages besides those that hubel stands on, and which extra has them."""

    ending: str
    runtime: str
    is_exact: bool = False
    needs: tuple[str, ...] = ()
    extra: str = ""


LITERT = "litert.py"
FORMS = {
    "float32": Form(".tflite", LITERT, is_exact=True),
    "float16": Form(".tflite", LITERT),
    "int8_weights": Form(".tflite", LITERT),
    "int8": Form(".tflite", LITERT),
    "onnx": Form(".onnx", "onnx_runtime.py", is_exact=True, needs=("tf2onnx", "onnx", "onnxruntime"), extra="onnx"),
}
CALIBRATED = "int8"  # is given images of the training split, from which the ranges of values in between follow


def check_installed(name: str) -> None:
    """Raise UsageError where a form needs a package that is not there."""
    form = FORMS[name]
    if absent := [package for package in form.needs if find_spec(package) is None]:
        raise UsageError(
            f"export.variants names {name}, which needs {' and '.join(absent)}.",
            f"Install the extra: pip install 'hubel[{form.extra}]', or take {name} out.",
        )
