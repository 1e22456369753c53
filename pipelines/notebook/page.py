"""A page that a notebook shows."""

import html
from dataclasses import dataclass
from pathlib import Path

HEIGHT = 720  # px of the frame in a notebook
BASE = '<base href="about:srcdoc">'  # without it a link to a place in the page is one to the notebook, which no frame may show


@dataclass(frozen=True)
class Report:
    """The page of a run: one file that needs no network. A notebook shows it where it stands."""

    path: Path

    @property
    def html(self) -> str:
        return self.path.read_text(encoding="utf-8")

    def _repr_html_(self) -> str:
        """A frame of its own, whose scripts reach nothing of the notebook."""
        inside = html.escape(self.html.replace("<head>", f"<head>{BASE}", 1), quote=True)
        return f'<iframe srcdoc="{inside}" sandbox="allow-scripts" style="width:100%;height:{HEIGHT}px;border:0"></iframe>'
