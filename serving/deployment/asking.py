"""Commands that a person types with the files: how models get where they are read, and a first request."""

import shlex
from pathlib import Path
from urllib.parse import quote

from serving import promotions
from serving.deployment.model import PLAIN, Model
from serving.deployment.options import CLAIM, HOST, URI, Storage

TOOLS = {"gs": "gcloud storage rsync --recursive", "s3": "aws s3 sync"}  # of what bucket
FILE = "FILE"  # whatever the model is asked about


def quoted(path: Path | str) -> str:
    """For a shell."""
    return shlex.quote(str(path))


def copying(model: Model, storage: Storage) -> list[str]:
    """How the versions get to where they are read, where a command says it."""
    if storage.kind != URI:
        return []
    scheme, there = storage.place.partition(":")[0], f"{storage.place}/{model.name}"
    if scheme not in TOOLS or there == str(model.base):
        return []
    return [f"{TOOLS[scheme]} {quoted(model.base)} {shlex.quote(there)}"]


def place(model: Model, storage: Storage) -> str:
    """The sentence on where the versions have to be."""
    where = {
        CLAIM: f"the claim {storage.place} has them in {f'{storage.folder}/' if storage.folder else ''}{model.name}/VERSION",
        HOST: f"the folder {storage.place} has them in {model.name}/VERSION",
        URI: f"{storage.place} has them in {model.name}/VERSION",
    }
    return where.get(storage.kind, f"the image has them in /models/{model.name}/VERSION")


def curl(model: Model, url: str) -> str:
    """A first request, of the signature that clients ask, by the label that promotion moves."""
    path = f"/v1/models/{quote(model.name, safe='')}/labels/{promotions.STABLE}"
    url = f'"{url}{path}'
    signature = model.signatures[model.asked]
    inputs = list(signature.inputs.items())
    if not model.asked.endswith(PLAIN) or len(inputs) != 1 or not inputs[0][1].is_string:
        return f'curl -s {url}/metadata"'
    value = '"A TEXT"' if inputs[0][0] == "text" else f'{{"b64": "\'"$(base64 -w 0 {FILE})"\'"}}'
    return f'curl -s {url}:predict" -d \'{{"signature_name": "{model.asked}", "instances": [{value}]}}\''
