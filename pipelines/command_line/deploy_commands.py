"""`hubel deploy`: parse, call, print."""

import ipaddress
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from configs import paths, words
from pipelines.command_line import options
from pipelines.command_line.serve_commands import Amount

if TYPE_CHECKING:
    from serving.deployment.model import Model
    from serving.deployment.options import Storage

MIB = 2**20
SOME = ("namespace", "replicas", "most_replicas", "host", "rest_port", "grpc_port")  # options that some target has no use for
PORT = click.IntRange(1, 65535)


@click.command("deploy")
@click.argument("model")
@click.option("--to", "target", required=True, metavar="TARGET", help="compose, kubernetes or kserve.")
@click.option("--out", required=True, metavar="DIR", help="Folder of the files; a new one, or an empty one.")
@click.option("--force", is_flag=True, help="Write into a folder that holds something, over files of the same names.")
@click.option("--name", metavar="NAME", help="Of the objects.  [default: the model's, as far as it is one]")
@click.option("--namespace", metavar="NAME", help="Of the cluster.  [default: the one that kubectl is set to]")
@click.option(
    "--image", metavar="IMAGE", help="Of TF Serving, or with a model in it.  [default: tensorflow/serving of the API's release]"
)
@click.option("--storage", metavar="PLACE", help="Where the models are: pvc:CLAIM[/FOLDER], hostpath:/FOLDER, image or a URI.")
@click.option("--replicas", default=2, show_default=True, type=click.IntRange(1), help="Pods at least.")
@click.option("--most-replicas", type=click.IntRange(1), help="Pods at most.  [default: three times as many]")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where Compose binds; 0.0.0.0 for every network.")
@click.option("--rest-port", default=8501, show_default=True, type=PORT, help="Of this host, for Compose.")
@click.option("--grpc-port", default=8500, show_default=True, type=PORT, help="Of this host, for Compose.")
@click.option("--batching", is_flag=True, help="Put requests together; an image that is none then fails its whole batch.")
@click.option("--max-request", default=16, show_default=True, type=click.IntRange(1, 2047), help="MiB of the largest request.")
@click.option("--latency", default=500.0, show_default=True, type=Amount(1, 1e6), help="ms for 99 of 100 requests: the alert.")
@options.workspace
@options.as_json
def deploy(model, target, out, force, name, namespace, image, storage, most_replicas, workspace, as_json, **asked):
    """Write files into DIR with which TensorFlow Serving serves MODEL elsewhere: NAME, NAME/VERSION, or a path or URL of either.

    Of NAME its stable version and its canary are served, with their labels. Nothing is started; the next commands are printed.
    """
    from configs.errors import UsageError
    from pipelines.workspace.layout import Workspace
    from serving.deployment import names, render
    from serving.deployment.options import Options, Storage

    source = click.get_current_context().get_parameter_source
    render.check(target, [option for option in SOME if source(option) is ParameterSource.COMMANDLINE])
    replicas, most = asked["replicas"], most_replicas or 3 * asked["replicas"]
    if most < replicas:
        raise UsageError(f"--most-replicas {most} are fewer than --replicas {replicas}.", "Give at least as many.")
    if not _is_address(asked["host"]):
        raise UsageError(f"--host {asked['host']} is no address.", "Compose binds one, such as 127.0.0.1, ::1 or 0.0.0.0.")
    if namespace is not None:
        names.check_namespace(namespace)
    known, away_at = _known(model, Workspace.at(workspace).models)
    chosen = Options(
        name=names.of_objects(known.name, name),
        storage=Storage.parse(storage) if storage else away_at,
        namespace=namespace,
        replicas=replicas,
        most_replicas=most,
        host=asked["host"],
        rest_port=asked["rest_port"],
        grpc_port=asked["grpc_port"],
        batching=asked["batching"],
        max_request=asked["max_request"] * MIB,
        latency=asked["latency"],
        models=known.base.parent if isinstance(known.base, Path) else None,
        **({"image": image} if image else {}),
    )
    folder = Path(out).expanduser()
    done = render.deploy(known, target, chosen, folder, force)
    if as_json:
        value = {
            "model": known.name,
            "to": target,
            "out": str(folder),
            "name": chosen.name,
            "files": [str(path) for path in done.files],
            "versions": list(known.versions),
            **{label: known.labels.get(label) for label in ("stable", "canary")},
            "signatures": list(known.signatures),
            "resources": done.resources.amounts(),
            "commands": done.commands,
            "remarks": done.remarks,
        }
        print(json.dumps(value))
        return 0
    labels = {version: label for label, version in known.labels.items()}
    served = ", ".join(f"{version} ({labels[version]})" if version in labels else str(version) for version in known.versions)
    amounts = done.resources.amounts()
    cores, least, most = words.count(done.resources.cores, "core"), amounts["requests"]["memory"], amounts["limits"]["memory"]
    print(f"{known.name}, version {served}: {', '.join(known.signatures)}")
    print(f"  {cores}, {least} of memory, {most} at most")
    print("\n".join([*(f"  {path}" for path in done.files), *done.remarks, "Next:", *(f"  {line}" for line in done.commands)]))
    return 0


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _known(asked: str, models: Path) -> "tuple[Model, Storage | None]":
    """The model; and where it is at a URL, the place of the models there, which a server reads unless it is told another."""
    import dataclasses

    from pipelines.command_line import away
    from serving.deployment import model
    from serving.deployment.options import URI, Storage

    with away.at_hand(asked) as path:
        known = model.read(path, models)
    if not paths.is_url(asked) or asked.startswith(away.FILE):
        return known, None
    url = asked.rstrip("/")
    base = url if Path(path).name == known.name else url.rpartition("/")[0]  # else it ends with a version
    return dataclasses.replace(known, base=base), Storage(URI, base.rpartition("/")[0])
