"""What a person may choose of a deployment."""

import re
from dataclasses import dataclass
from pathlib import Path

from configs.errors import UsageError
from serving import real_server
from serving.deployment.sizes import MIB

CLAIM, HOST, IMAGE, URI = "pvc", "hostpath", "image", "uri"
FORMS = "pvc:CLAIM[/FOLDER], hostpath:/FOLDER, image, or a URI such as gs://bucket/models"
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://[^\s]+")
_CLAIM = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")


@dataclass(frozen=True)
class Storage:
    """Where the folder of models is: of a PersistentVolumeClaim, of the host, of the image itself, or at a URI.

    Attributes:
        kind: CLAIM, HOST, IMAGE or URI.
        place: name of the claim, path, or URI; empty of an image.
        folder: in the claim; empty for its root.
    """

    kind: str
    place: str = ""
    folder: str = ""

    @classmethod
    def parse(cls, text: str) -> "Storage":
        """Of what is typed. Raises UsageError for what is none of FORMS."""
        kind, _, rest = text.partition(":")
        if text == IMAGE:
            return cls(IMAGE)
        if kind == CLAIM and not rest.startswith("//"):
            claim, _, folder = rest.partition("/")
            if _CLAIM.fullmatch(claim) and ".." not in folder.split("/"):
                return cls(CLAIM, claim, folder.strip("/"))
        elif kind == HOST and rest.startswith("/"):
            return cls(HOST, rest.rstrip("/") or "/")
        elif _SCHEME.fullmatch(text):
            return cls(URI, text.rstrip("/"))
        raise UsageError(f"--storage {text!r} says no place of models.", f"It is {FORMS}.")


@dataclass(frozen=True)
class Options:
    """Attributes:
    name: of the objects; see names.py.
    storage: None for what the target takes by itself.
    image: of TF Serving, or with a model in it.
    replicas, most_replicas: pods at least and at most.
    host, rest_port, grpc_port: where Compose binds.
    batching: whether requests are put together.
    max_request: bytes of the largest request.
    latency: ms that 99 of 100 requests stay below, for the alert.
    """

    name: str
    storage: Storage | None = None
    image: str = real_server.IMAGE
    namespace: str | None = None
    replicas: int = 2
    most_replicas: int = 6
    host: str = "127.0.0.1"
    rest_port: int = real_server.REST_PORT
    grpc_port: int = real_server.GRPC_PORT
    batching: bool = False
    max_request: int = 16 * MIB
    latency: float = 500.0
    models: Path | None = None  # the folder of models on this machine

    @property
    def is_own_image(self) -> bool:
        """Whether it is another than TF Serving's."""
        return self.image != real_server.IMAGE
