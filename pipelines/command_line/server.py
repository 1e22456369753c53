"""What verbs that ask a server say of it: their flags, and what these mean together."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from configs.errors import UsageError

FLAGS = {
    "server": click.option(
        "--server", metavar="HOST:PORT", help="Ask TF Serving or `hubel serve` there; https://HOST:PORT: by TLS."
    ),
    "grpc": click.option("--grpc", is_flag=True, help="Ask the server by gRPC, at its port for that; by default by REST."),
    "label": click.option("--label", metavar="LABEL", help="The version with that label, as NAME@LABEL."),
    "api_key_file": click.option("--api-key-file", metavar="FILE", help="Of the server's key; or set HUBEL_SERVE_API_KEY."),
    "tls_ca": click.option("--tls-ca", metavar="FILE", help="PEM: who signed the server's certificate; means TLS."),
    "timeout": click.option(
        "--timeout",
        default=60.0,
        show_default=True,
        type=click.FloatRange(0.001, 86_400),
        help="Seconds that the server has for each request, with its retries.",
    ),
}


def options(verb: Callable) -> Callable:
    """The flags of a verb, in the order of FLAGS."""
    for flag in reversed(FLAGS.values()):
        verb = flag(verb)
    return verb


def asked_of(model: str, workspace: str, asked: Mapping[str, Any]) -> dict[str, Any] | None:
    """The fields of requests.PredictRemotely on the server; None where none is asked.

    Raises:
        UsageError: for what is said of a server without one, or a model that is named in no way that it may be.
    """
    if not asked.get("server"):
        context = click.get_current_context(silent=True)
        typed = [name for name in asked if context and context.get_parameter_source(name) is ParameterSource.COMMANDLINE]
        if typed:
            flag = f"--{typed[0].replace('_', '-')}"
            raise UsageError(f"{flag} is of a server, and none is asked.", f"Add --server HOST:PORT, or leave out {flag}.")
        return None
    from pipelines.workspace.layout import Workspace

    name, version, label = named(model, asked["label"])
    return {
        "server": asked["server"],
        "model": name,
        "version": version,
        "label": label,
        "models": str(Workspace.at(workspace).models),
        "grpc": asked["grpc"],
        "api_key_file": _absolute(asked["api_key_file"]),
        "ca": _absolute(asked["tls_ca"]),
        "timeout": asked["timeout"],
    }


def named(model: str, label: str | None) -> tuple[str, int | None, str | None]:
    """Name, version and label of NAME, NAME/VERSION or NAME@LABEL, with the label that is given besides.

    Raises:
        UsageError: for anything else, and for two of them.
    """
    from serving import layout

    name, at, own = model.partition("@")
    name, slash, number = name.partition("/")
    version = layout.number(number) if slash else None
    if not name or (at and not own) or (slash and version is None):
        raise UsageError(f"{model!r} names no model on a server.", "It is NAME, NAME/VERSION or NAME@LABEL.")
    if sum(given is not None for given in (version, own or None, label)) > 1:
        raise UsageError(f"Which version of {name} is meant is said twice.", "Leave one of version and label.")
    return name, version, own or label


def _absolute(path: str | None) -> str | None:
    return str(Path(path).expanduser().absolute()) if path else None
