"""The files by which a browser installs the pages: the service worker, at the root as its scope, and the offline page.

The worker begins with a version of the files that it keeps, so that a browser renews them after an upgrade. Both are
public and without anything of an account.
"""

from __future__ import annotations

import hashlib
from functools import cache

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from dashboards.pages.routes import HERE, render

WORKER = HERE / "static" / "js" / "service_worker.js"
KEPT = (HERE / "templates", HERE / "static" / "css", HERE / "static" / "js", HERE / "translations.toml")


def installed_pages() -> APIRouter:
    """Return the router of the service worker and of the offline page."""
    router = APIRouter(include_in_schema=False)

    @router.get("/service-worker.js")
    def service_worker() -> Response:
        text = f'const VERSION = "{version()}";\n{WORKER.read_text(encoding="utf-8")}'
        return Response(text, media_type="text/javascript", headers={"Cache-Control": "no-cache"})

    @router.get("/offline")
    def offline(request: Request) -> HTMLResponse:
        return render(request, "offline.html", page="offline", demo=False)

    return router


@cache
def version() -> str:
    """Return a digest of all files that an offline page may be made of."""
    digest = hashlib.sha256()
    for place in KEPT:
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            digest.update(path.read_bytes() if path.is_file() else b"")
    return digest.hexdigest()[:16]
