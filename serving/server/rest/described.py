"""The description of the endpoints of what a Manager serves."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from configs.errors import HubelError
from serving import saved_model
from serving.server.manager import AVAILABLE, Manager
from serving.server.rest import openapi
from serving.server.status import ServingError


def description(manager: Manager, needs_key: bool) -> bytes:
    """JSON of the OpenAPI description of all that answers, each model as its newest version is."""
    models: dict[str, openapi.Model] = {}
    rows = [row for row in manager.overview() if row["state"] == AVAILABLE]
    for name in dict.fromkeys(row["model"] for row in rows):
        try:
            with manager.lease(name) as servable:
                card = _card(servable.folder)
                signatures = servable.signatures
        except ServingError:  # gone meanwhile
            continue
        of_model = [row for row in rows if row["model"] == name]
        labels = [label for row in of_model for label in row["labels"]]
        models[name] = openapi.Model(name, [row["version"] for row in of_model], signatures, card, labels)
    return orjson.dumps(openapi.describe(models.values(), needs_key=needs_key))


def _card(folder: str) -> Mapping[str, Any]:
    """None of one that is damaged: its model answers all the same."""
    try:
        return saved_model.card(Path(folder))
    except HubelError:
        return {}
