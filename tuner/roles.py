"""Which part of a search this process has, by keras-tuner's own environment variables: a chief for far workers, or all of it."""

import os

from tuner import chief

ADDRESS, PORT, ID = "KERASTUNER_ORACLE_IP", "KERASTUNER_ORACLE_PORT", "KERASTUNER_TUNER_ID"
CHIEF = "chief"


def lead(address: str) -> None:
    """Have the searches of this process be a chief's alone, which listens for far workers. Raises UsageError for no HOST:PORT."""
    host, port = chief.parsed(address)
    os.environ.update({ADDRESS: host, PORT: str(port), ID: CHIEF})


def chief_address() -> str | None:
    """Where this process is to listen for far workers; None where it is no such chief."""
    if CHIEF not in os.environ.get(ID, "") or ADDRESS not in os.environ:
        return None
    return f"{os.environ[ADDRESS]}:{os.environ[PORT]}"
