"""`hubel serve`: which models, from what is typed, and the life of the process that serves them."""

import contextlib
import json
import math
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

import click

from pipelines.command_line import options
from pipelines.command_line.options import state

BANNER = "For trying out and testing: production belongs to TensorFlow Serving, which takes the same folders, files and requests."
SHADOW = ".shadow"  # after a model's name: what the second version is called, so that nobody gets it who asks for the model
PORT = click.IntRange(0, 65535)


class Amount(click.FloatRange):
    """A number in a range; no comparison refuses NaN, and nothing lasts or is as large as infinity."""

    def convert(self, value, param, ctx):
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is no finite number.", param, ctx)
        return number


LOOK = 1.0  # s between looks, as TF Serving's file_system_poll_wait_seconds


class Terminated(BaseException):
    """SIGTERM came."""


@click.command("serve")
@click.argument("models", nargs=-1, metavar="[MODEL]...")
@click.option("--config", "config", metavar="FILE", help="Serve what a model.config of TF Serving says; a change is followed.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen; 0.0.0.0 for every network.")
@click.option("--rest-port", default=8501, show_default=True, type=PORT, help="0 for any that is free.")
@click.option("--grpc-port", default=8500, show_default=True, type=PORT, help="0 for any that is free.")
@click.option("--no-rest", is_flag=True, help="Answer gRPC alone.")
@click.option("--no-grpc", is_flag=True, help="Answer REST alone.")
@click.option("--batching-file", metavar="FILE", help="Put requests together by TF Serving's batching parameters.")
@click.option("--poll", default=LOOK, show_default=True, type=Amount(0), help="Seconds between looks for versions; 0: once.")
@click.option("--config-poll", default=LOOK, show_default=True, type=Amount(0), help="The same for the config; 0: never.")
@click.option("--max-request", default=64.0, show_default=True, type=Amount(0.001), help="MiB of a request.")
@click.option("--concurrency", default=64, show_default=True, type=click.IntRange(1), help="Requests at once, of each protocol.")
@click.option("--timeout", default=30.0, show_default=True, type=Amount(0.001), help="Seconds that a request may take.")
@click.option("--drain", default=30.0, show_default=True, type=Amount(0), help="Seconds that requests have at the end.")
@click.option("--strict-shapes", is_flag=True, help="Refuse shapes that a signature does not have before TensorFlow sees them.")
@click.option("--cors", is_flag=True, help="Let browsers ask from pages of other origins.")
@click.option("--no-metrics", is_flag=True, help="Do not answer /monitoring/prometheus/metrics.")
@click.option("--no-playground", is_flag=True, help="Have no page at / that asks the models from a browser.")
@click.option("--no-statistics", is_flag=True, help="Keep no statistics of requests and answers, by which `hubel drift` judges.")
@click.option(
    "--shadow",
    "shadows",
    multiple=True,
    metavar="VERSION=SHARE",
    help="Ask NAME/VERSION, or canary, a share too, such as canary=0.1, and log how its answers differ; no client gets these.",
)
@click.option("--tls-cert", metavar="FILE", help="PEM: serve by TLS, with --tls-key.")
@click.option("--tls-key", metavar="FILE", help="PEM: the certificate's key.")
@click.option("--api-key-file", metavar="FILE", help="Clients must send what it holds; or set HUBEL_SERVE_API_KEY.")
@click.option("--openapi", is_flag=True, help="Print the OpenAPI description of the REST endpoints, and end.")
@click.option("--access-log", metavar="FILE", help="A line of JSON for each request; - for stderr.  [default: the server's log]")
@options.workspace
@options.verbose
@options.as_json
def serve(models, config, workspace, as_json, openapi, **asked):
    """Answer TF Serving's REST and gRPC requests for MODEL, until Ctrl-C.

    MODEL is a name in the workspace, NAME/VERSION, NAME@candidate, or a path to a SavedModel or to a folder of versions. A name is
    served as the workspace's model.config has it: the stable version and a canary, with these labels. Without any, the whole of
    that is, or where there is none every model of the workspace.
    """
    from configs.errors import UsageError
    from pipelines.process import requests, supervise
    from pipelines.workspace.layout import Workspace

    place = Workspace.at(workspace)
    if models and config:
        raise UsageError("A config says itself which models are served.", "Leave out --config, or the models.")
    if config is None and not models and (place.models / "model.config").is_file():
        config = str(place.models / "model.config")
    wanted = [] if config else _wanted(place, models)
    if any(model.get("is_bare") for model in wanted) and (place.models / "model.config").is_file():
        config = str(place.models / "model.config")  # their part of it
    shadowed = _shadows(asked["shadows"], wanted, bool(config))
    if openapi:
        return _describe(wanted, config, asked)
    settings = {
        "host": asked["host"],
        "rest_port": None if asked["no_rest"] else asked["rest_port"],
        "grpc_port": None if asked["no_grpc"] else asked["grpc_port"],
        "poll": asked["poll"],
        "batching": asked["batching_file"],
        "max_request": round(asked["max_request"] * 2**20),
        "concurrency": asked["concurrency"],
        "timeout": asked["timeout"],
        "drain": asked["drain"],
        "strict_shapes": asked["strict_shapes"],
        "cors": asked["cors"],
        "shadows": shadowed,
        "statistics": None if asked["no_statistics"] else str(place.statistics),
        "monitoring": not asked["no_metrics"],
        "playground": not asked["no_playground"],
        "certificate": asked["tls_cert"],
        "key": asked["tls_key"],
    }
    state.log = _log(place)
    if not as_json:
        print(BANNER, flush=True)
    with contextlib.ExitStack() as stack:
        descriptor = _access_log(asked["access_log"], stack)
        request = requests.Serve(wanted, config, asked["config_poll"], settings, asked["api_key_file"], descriptor)
        held = () if descriptor is None else (descriptor,)
        before, code = signal.signal(signal.SIGTERM, _terminate), 0
        try:
            out, scheme = sys.stdout, "https" if asked["tls_cert"] else "http"
            has_page = not asked["no_playground"]
            grace = asked["drain"] + 20  # TensorFlow's end, and what a last request takes
            supervise.ask(
                request, state.log, lambda event: _show(event, asked["host"], scheme, as_json, out, has_page), held, grace, True
            )
        except KeyboardInterrupt:
            code = 130
        except Terminated:
            pass
        finally:
            signal.signal(signal.SIGTERM, before)
    if not as_json:
        print("Stopped: what was asked before is answered.", flush=True)
    return code


def _terminate(*_):
    raise Terminated


def _wanted(place, models) -> list[dict]:
    """{name, folder, version, is_bare} of each model, as pipelines.verbs.serve takes it.

    Raises:
        UsageError: where there is none, or two have one name.
    """
    from configs.errors import UsageError
    from pipelines.workspace import runs
    from serving import layout

    if not models:
        models = sorted(path.name for path in place.models.iterdir() if layout.versions(path)) if place.models.is_dir() else []
        if not models:
            raise UsageError(f"There is no served model in {place.models}.", "`hubel run` trains and pushes one.")
    wanted: list[dict] = []
    for asked in models:
        folder = runs.exported(place, asked).resolve()
        if runs.is_candidate(asked) and not Path(asked).expanduser().exists():
            model = {"name": asked.partition("@")[0], "folder": str(folder), "version": 0}
        elif layout.number(folder.name) is None:
            model = {"name": folder.name, "folder": str(folder), "version": 0}
        else:
            base = folder.parent
            names_it = any(path.resolve() == folder for path in (place.models / asked, Path(asked).expanduser()))
            model = {"name": base.name, "folder": str(base), "version": layout.number(folder.name) if names_it else None}
            model["is_bare"] = asked == base.name and base.parent == place.models.resolve()
        if model["name"] in [known["name"] for known in wanted]:
            raise UsageError(f"Two of the models are called {model['name']}.", "A --config can give them names.")
        wanted.append(model)
    return wanted


def _describe(wanted: list[dict], config: str | None, asked: dict) -> int:
    """Print what a server of these models would say at /openapi.json. Nothing is loaded, and no port opened."""
    from configs.errors import UsageError
    from serving.server.rest import folders, openapi

    if asked["no_rest"]:
        raise UsageError("The description is of the REST endpoints.", "Leave out --no-rest, or --openapi.")
    bases = {model["name"]: model["folder"] for model in wanted if model.get("is_bare")} if wanted else None
    models = folders.of_config(Path(config).expanduser(), bases) if config else []
    known = {model.name for model in models}
    models += [folders.of_model(each["name"], each["folder"], each["version"]) for each in wanted if each["name"] not in known]
    scheme, host = "https" if asked["tls_cert"] else "http", asked["host"]
    shown = f"[{host}]" if ":" in host else {"0.0.0.0": "localhost"}.get(host, host)  # noqa: S104
    has_key = bool(asked["api_key_file"] or os.environ.get("HUBEL_SERVE_API_KEY"))
    print(json.dumps(openapi.describe(models, f"{scheme}://{shown}:{asked['rest_port'] or 8501}", has_key or None), indent=1))
    return 0


def _shadows(asked: Sequence[str], wanted: list[dict], has_config: bool) -> list[dict[str, Any]]:
    """Fields of serving.server.shadow.Spec for each VERSION=SHARE.

    Args:
        wanted: models of `_wanted`, which get what is to be loaded besides; none where a config alone says what is served.
        has_config: whether a config says which versions of those that are bare are served.

    Raises:
        UsageError: for what is no such thing, a version that is not there, or one that answers itself.
    """
    from configs.errors import UsageError
    from serving import layout

    specs: list[dict[str, Any]] = []
    for text in asked:
        name, _, number = text.rpartition("=")
        model, _, last = name.rpartition("/")
        version, share = layout.number(last), _share(number)
        if share is None or not name or bool(model) != (version is not None):
            raise UsageError(
                f"--shadow {text} is no version with a share.",
                "Such as NAME/2=0.1, or canary=0.1: a share is above 0 and at most 1.",
            )
        label = None if model else last
        of_models = [entry for entry in wanted if model in ("", entry["name"]) and not entry["name"].endswith(SHADOW)]
        if wanted and not of_models:
            raise UsageError(f"--shadow {text} is of a model that is not served.", "Name it among the models.")
        for entry in of_models:
            specs.append({"share": share, **_shadow_of(entry, version, label, wanted, has_config and entry.get("is_bare", False))})
        if not wanted:
            specs.append({"share": share, "of": model or None, "model": None, "version": version, "label": label})
    return specs


def _shadow_of(entry: dict, version: int | None, label: str | None, wanted: list[dict], follows: bool) -> dict[str, Any]:
    """Which second version one model has: of what is served anyway, or one that is loaded besides, under a name of its own.

    Args:
        follows: whether a config says which versions of the model are served.
    """
    from configs.errors import UsageError
    from serving import layout, promotions

    name, base = entry["name"], Path(entry["folder"])
    there = layout.versions(base)
    if not there:
        raise UsageError(f"{name} is a single SavedModel and has no second version.", "Leave out --shadow.")
    state = promotions.state(base)
    if follows and (label or version in state.loaded):
        return {"of": name, "model": None, "version": version, "label": label}
    second = version if version is not None else state.labels.get(label or "")
    if second not in there:
        named = f"version {second}" if second is not None else f"version that is its {label}"
        raise UsageError(f"{name} has no {named} to ask as a shadow.", f"There are: {', '.join(map(str, there))}.")
    if not follows and entry["version"] is None:
        others = [each for each in there if each != second]
        entry["version"] = state.stable if state.is_recorded and state.stable is not None else max(others, default=second)
    if entry["version"] == second:
        raise UsageError(
            f"{name} version {second} answers itself, and cannot be its own shadow.",
            f"Name what is to answer: {name}/VERSION.",
        )
    hidden = {"name": f"{name}{SHADOW}", "folder": entry["folder"], "version": second}
    taken = [known for known in wanted if known["name"] == hidden["name"]]
    if taken and taken[0] != hidden:
        raise UsageError(f"{name} has two shadows.", "Name one: they would have one name.")
    if not taken:
        wanted.append(hidden)
    return {"of": name, "model": hidden["name"], "version": second, "label": None}


def _share(text: str) -> float | None:
    try:
        share = float(text)
    except ValueError:
        return None
    return share if 0 < share <= 1 else None


def _tell_shadows(pairs: Sequence[Mapping[str, Any]], out: TextIO) -> None:
    """The summary at the end."""
    for pair in pairs:
        counts = ", ".join(f"{count} {outcome}" for outcome, count in pair["requests"].items())
        beside = f"shadow version {pair['shadow']}" if pair["shadow"] is not None else "no shadow"
        print(f"{pair['model']} version {pair['version']}, {beside}: {counts}", file=out, flush=True)
        if pair["rows"]:
            far = ", ".join(
                f"{name} by {'what cannot be compared' if most is None else format(most, '.3g')}"
                for name, most in pair["largest_difference"].items()
            )
            took = "; ".join(f"{side} {of['p50']:.1f} ms, 95 % {of['p95']:.1f} ms" for side, of in pair["ms"].items())
            print(
                f"  {pair['disagreeing']} of {pair['rows']} examples decided differently; at most {far or 'nothing'}; {took}",
                file=out,
                flush=True,
            )


def _log(place) -> Path:
    from pipelines.workspace import runs

    return place.log("serve", runs.new_run_id(place, "serve"))


def _access_log(name: str | None, stack: contextlib.ExitStack) -> int | None:
    """A descriptor that the worker may write to."""
    if name is None:
        return None
    if name == "-":
        descriptor = os.dup(sys.stderr.fileno())
    else:
        descriptor = os.open(Path(name).expanduser(), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
    stack.callback(os.close, descriptor)
    return descriptor


def _show(event: dict, host: str, scheme: str, as_json: bool, out: TextIO, has_page: bool) -> None:
    """Say that it answers, and where; and at its end what shadows answered."""
    if event["event"] == "shadows" and not as_json:
        _tell_shadows(event["pairs"], out)
    if event["event"] != "serving":
        return
    shown = f"[{host}]" if ":" in host else host
    rest = f"{scheme}://{shown}:{event['rest']}" if "rest" in event else None
    grpc = f"{shown}:{event['grpc']}" if "grpc" in event else None
    page = f"{rest}/" if rest and has_page else None
    if as_json:
        told = {"rest": rest, "grpc": grpc, "playground": page, "models": event["models"], "log": str(state.log)}
        print(json.dumps(told), file=out, flush=True)
        return
    for model in event["models"]:
        warmup = model.get("warmup", {"requests": 0, "seconds": 0, "signatures": {}})
        signatures = f" of {len(warmup['signatures'])} signatures" if warmup["signatures"] else ""
        labels = f" ({', '.join(model['labels'])})" if model["labels"] else ""
        print(
            f"{model['model']} version {model['version']}{labels}: {model['state']}, loaded in {model.get('seconds', 0):.1f} s,"
            f" {warmup['requests']} warm-up requests{signatures} in {warmup['seconds']:.1f} s",
            file=out,
        )
        if model["error"]:
            print(f"  {model['error']}", file=out)
    if page:
        print(f"Playground {page} (for a browser)", file=out)
    if rest:
        named = f"/{event['models'][0]['model']}" if event["models"] else ""
        print(f"REST {rest}/v1/models{named}", file=out)
    if grpc:
        print(f"gRPC {grpc}", file=out)
    print(f"log {state.log}\nReady. Ctrl-C ends it.", file=out, flush=True)
