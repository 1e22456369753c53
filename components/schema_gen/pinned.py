"""A Schema that a person keeps in a file of their own, instead of the one that is inferred anew for each data."""

from pathlib import Path

from components import keys, progress
from configs.errors import UsageError

MAX_BYTES = 2**22


def read(path: str | None) -> str:
    """The text of a pinned Schema (text format of schema_pb2.Schema), "" for None. Raises UsageError for a file that holds none."""
    if path is None:
        return ""
    from google.protobuf import text_format
    from tensorflow_metadata.proto.v0 import schema_pb2

    hint = "Copy one that a run inferred: pipelines/NAME/SchemaGen/schema/*/schema.pbtxt in the workspace."
    try:
        file = Path(path).expanduser()
        if file.stat().st_size > MAX_BYTES:
            raise UsageError(f"The pinned schema {path} has more than {MAX_BYTES} bytes.", hint)
        text = file.read_text(encoding="utf-8")
        parsed = text_format.Parse(text, schema_pb2.Schema())
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"The pinned schema {path} cannot be read: {getattr(error, 'strerror', None) or error}.", hint) from None
    except text_format.ParseError as error:
        raise UsageError(f"The pinned schema {path} is no Schema: {error}.", hint) from None
    if not parsed.feature:
        raise UsageError(f"The pinned schema {path} describes no feature.", hint)
    return text_format.MessageToString(parsed) if _renamed(parsed) else text


def _renamed(schema) -> bool:
    """Give the id of a Schema that an earlier hubel inferred its present name, in place. Returns whether it had the former one."""
    named = {feature.name: feature for feature in schema.feature}
    if keys.EXAMPLE_ID_BEFORE not in named or keys.EXAMPLE_ID in named:
        return False
    feature = named[keys.EXAMPLE_ID_BEFORE]
    feature.name = keys.EXAMPLE_ID
    progress.emit("note", text=f"the pinned schema calls an image's id {keys.EXAMPLE_ID_BEFORE}; it is {keys.EXAMPLE_ID} now")
    return True
