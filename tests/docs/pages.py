"""What the tests of the documents share: the documents, and the examples in them, put where hubel looks for them."""

import importlib
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
_EXAMPLE = re.compile(r"<!-- example: (\S+) -->\n```\w+\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def examples(page: str) -> dict[str, str]:
    """Path -> text of every block that is marked with `<!-- example: PATH -->` in a document."""
    return dict(_EXAMPLE.findall((ROOT / page).read_text(encoding="utf-8")))


class Place:
    """Example files in a folder of their own, which hubel's packages see as theirs until `leave`."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch):
        self.folder, self._patch, self._known = folder, patch, set(sys.modules)

    def put(self, *paths: str, page: str = "docs/architecture.md") -> None:
        """Write examples and extend the packages they belong to."""
        texts = examples(page)
        for path in paths:
            file = self.folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(texts[path], encoding="utf-8")
            if file.suffix == ".py" and len(file.relative_to(self.folder).parts) > 1:
                package = importlib.import_module(".".join(Path(path).parts[:-1]))
                self._patch.setattr(package, "__path__", [*package.__path__, str(file.parent)])
        self._patch.syspath_prepend(str(self.folder))

    def leave(self) -> None:
        """Forget every module that came from here."""
        from keras_models import ENTRIES

        for name in set(sys.modules) - self._known:
            file = getattr(sys.modules[name], "__file__", None)
            if file and Path(file).is_relative_to(self.folder):
                parent, _, child = name.rpartition(".")
                if parent in sys.modules and hasattr(sys.modules[parent], child):
                    delattr(sys.modules[parent], child)
                del sys.modules[name]
                for key in [key for key, entry in ENTRIES.items() if entry.module == name]:
                    del ENTRIES[key]
