"""How what a model reads is given: a file a kind, and files one each of a kind without one."""

import types
from pathlib import Path

import pytest
import tensorflow as tf

from components import inputs
from configs.errors import UsageError
from pipelines.verbs import asking
from pipelines.verbs.asking import base
from pipelines.verbs.asking.base import Given
from pipelines.verbs.asking.by_name import asking_of


@pytest.mark.parametrize("kind", inputs.kinds())
def test_every_kind_can_be_given(kind):
    made = asking_of(kind)
    assert made.many == f"{inputs.storage_of(kind).noun}s"
    assert type(made).__module__ == f"pipelines.verbs.asking.{kind}"


def test_a_kind_that_has_no_file_here_is_given_as_files(tmp_path, monkeypatch):
    (tmp_path / "melody.py").write_text(
        "from components.inputs import storing\n\n\nclass Input(object):\n    pass\n\n\nclass Storage(storing.Storage):\n"
        '    noun = "melody"\n\n    def store(self, raw, data):\n        pass\n'
    )
    monkeypatch.setattr(inputs, "__path__", [*inputs.__path__, str(tmp_path)])
    made = asking_of("melody")
    assert type(made) is base.Asking
    (tmp_path / "a").mkdir()
    for name in ("a/2.wav", "a/1.wav", "a/.hidden"):
        (tmp_path / name).write_bytes(b"x")
    given = Given([str(tmp_path / "a"), "nowhere.wav"])
    assert made.examples(given, "m") == [tmp_path / "a" / "1.wav", tmp_path / "a" / "2.wav", Path("nowhere.wav")]
    with pytest.raises(UsageError, match="There is no melody in"):
        made.examples(Given([str(tmp_path / "none")][:0]), "m")
    for strange in (Given(["x"], ["a text"]), Given(["x"], (), "column")):
        with pytest.raises(UsageError, match="m reads melodys, and a text is given"):
            made.examples(strange, "m")


def test_files_are_checked_as_those_of_a_source_and_one_fails_alone(tmp_path):
    for name, content in (("a", b"Rain"), ("b", b"caf\xe9"), ("c", b""), ("d", b"Snow, and wind")):
        (tmp_path / name).write_bytes(content)
    card = types.SimpleNamespace(predicts="serving_default", learned={"vocabulary": ["rain"]})
    served = types.SimpleNamespace(card=card, of_end=lambda name, end: lambda text: {"length": tf.strings.length(text)})
    told = list(base.Asking("text").answers(served, sorted(tmp_path.iterdir())))
    assert [row.get("error") for row, _ in told] == [None, "not UTF-8", "empty file", None]
    assert [int(outputs["length"]) for _, outputs in told if outputs] == [4, 14]


def test_no_other_file_of_the_verbs_names_a_kind_that_is_read():
    folder = Path(asking.__file__).parents[1]
    for path in (folder / "predict.py", folder / "batches.py", folder / "asking" / "base.py", folder / "asking" / "__init__.py"):
        assert not {f'"{kind}"' for kind in inputs.kinds()} & set(path.read_text().split())
        assert ".reads ==" not in path.read_text()
