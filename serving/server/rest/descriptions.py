"""What TF Serving's REST API says of a model: the status of its versions, and its signatures; and what only this server says, its
card."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from serving.server.status import ServingError

CARD = Path("assets.extra", "hubel.json")  # beside a SavedModel that hubel wrote
SIGNATURE_DEF = "signature_def"  # the one field that metadata has


def status(response: Any) -> bytes:
    """JSON of a GetModelStatusResponse; a version is a string, as JSON has integers of 64 bits in protobuf's mapping."""
    for version in response.model_version_status:
        version.status.SetInParent()  # is told of a version that is well, too
    return orjson.dumps(_told(response))


def metadata(name: str, version: int, signatures: Mapping[str, Any]) -> bytes:
    """JSON of what GetModelMetadata says.

    Args:
        signatures: name -> SignatureDef.
    """
    told = {signature: _told(definition) for signature, definition in sorted(signatures.items())}
    specification = {"name": name, "signature_name": "", "version": str(version)}
    return orjson.dumps({"model_spec": specification, "metadata": {SIGNATURE_DEF: {SIGNATURE_DEF: told}}})


def card(servable: Any) -> bytes:
    """JSON of the card that lies beside a loaded version.

    Raises:
        ServingError: NOT_FOUND where none does, or what does is no JSON.
    """
    which = f"version {servable.version} of {servable.name}"
    try:
        content = (Path(servable.folder) / CARD).read_bytes()
    except OSError:
        raise ServingError("NOT_FOUND", f"There is no card ({CARD}) beside {which}") from None
    try:
        orjson.loads(content)
    except orjson.JSONDecodeError:
        raise ServingError("NOT_FOUND", f"The card ({CARD}) of {which} is no JSON") from None
    return content


def _told(message: Any) -> dict:
    from google.protobuf import json_format

    return json_format.MessageToDict(message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
