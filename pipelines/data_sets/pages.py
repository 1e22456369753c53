"""Pages that need nothing beside them, of the templates in this folder."""

from pathlib import Path
from typing import Any


def rendered(template: str, **values: Any) -> str:
    """HTML; values are escaped."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=jinja2.StrictUndefined
    )
    return environment.get_template(template).render(**values)
