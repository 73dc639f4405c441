"""Hands out the page: files of the package ``zlp.web``, as they are, with a policy that forbids other hosts."""

from __future__ import annotations

import hashlib
import mimetypes
from importlib import resources
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from zlp.server.problems import Problem

FOLDER = Path(str(resources.files("zlp"))) / "web"
KINDS = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml"}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def page_routes(*, demo: bool = False) -> list[Route]:
    """The page at ``/`` and its files under ``/web``. ``demo`` lets the page offer its built-in wallet."""
    files = {
        str(path.relative_to(FOLDER)).replace("\\", "/"): path
        for path in sorted(FOLDER.rglob("*"))
        if path.suffix in KINDS
    }
    index = (FOLDER / "index.html").read_bytes().replace(b"{{demo}}", b"yes" if demo else b"no")

    async def root(request: Request) -> Response:
        return _answer(request, index, "text/html", {"content-security-policy": POLICY})

    async def file(request: Request) -> Response:
        path = files.get(request.path_params["path"])
        if path is None:
            raise Problem("not_found")
        kind = KINDS.get(path.suffix) or mimetypes.guess_type(path.name)[0]
        return _answer(request, path.read_bytes(), kind or "application/octet-stream", {})

    return [Route("/", root), Route("/web/{path:path}", file)]


def _answer(request: Request, content: bytes, kind: str, more: dict[str, Any]) -> Response:
    """A revalidated answer: nothing is sent again that the browser has."""
    tag = f'"{hashlib.sha256(content).hexdigest()[:24]}"'
    headers = {"etag": tag, "cache-control": "no-cache", "referrer-policy": "no-referrer", **more}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=kind, headers=headers)
