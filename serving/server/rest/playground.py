"""The playground: a page at / that asks the models of this server from a browser. Its files stand in serving/server/playground."""

import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

FOLDER = Path(__file__).parents[1] / "playground"
INDEX, PLACE = "index.html", "/playground/"
TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
HEADERS = {  # a browser that shows the page asks no other server, runs nothing but these files, and lets no page frame it
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",  # asked anew by its ETag
}


@dataclass(frozen=True)
class File:
    """One of them, in memory."""

    content: bytes
    content_type: str
    etag: str

    def response(self, request: web.Request) -> web.Response:
        """200, or 304 for a browser that has it."""
        known = {tag.value for tag in request.if_none_match or ()}
        if known & {self.etag, "*"}:
            response = web.Response(status=304)
        else:
            response = web.Response(body=self.content, content_type=self.content_type, charset="utf-8")
        response.headers.update(HEADERS)
        response.etag = self.etag
        return response


@functools.cache
def files() -> Mapping[str, File]:
    """By path: the page at /, what it is made of below PLACE."""
    read = {path.name: path.read_bytes() for path in sorted(FOLDER.iterdir()) if path.suffix in TYPES}
    return {
        "/" if name == INDEX else f"{PLACE}{name}": File(
            content, TYPES[Path(name).suffix], hashlib.sha256(content).hexdigest()[:32]
        )
        for name, content in read.items()
    }
