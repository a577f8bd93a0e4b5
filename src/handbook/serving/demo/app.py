"""The page and what it asks for, as an ASGI app; `Guard` stands before it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any, NoReturn

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from handbook.errors import HandbookError, unknown
from handbook.serving.demo import sections
from handbook.serving.demo.models import CASES, Models

LARGEST = 1 << 16  # bytes of a request: a picture of 784 numbers takes 4,000
PATIENCE = 10.0  # seconds for a request to arrive
FILES = {
    "/": ("page.html", "text/html"),
    "/board.js": ("board.js", "text/javascript"),
    "/page.js": ("page.js", "text/javascript"),
    "/page.css": ("page.css", "text/css"),
}
# The page loads its own files and asks its own server, whatever anybody may have written into a text.
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'",
    "Cache-Control": "no-store",
}


class RefusedError(HandbookError):
    """A request that is not answered, and the status that says so."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


def application(models: Models) -> Starlette:
    """The app: its own files, and what each section's model says."""

    async def described(request: Request) -> Response:
        section = _section(request)
        found = await run_in_threadpool(models.ask, section, lambda chosen: sections.describe(section, chosen))
        return JSONResponse(found, headers=HEADERS)

    async def answered(request: Request) -> Response:
        section, body = _section(request), await read(request)
        found = await run_in_threadpool(models.ask, section, lambda chosen: sections.answer(section, chosen, body))
        return JSONResponse(found, headers=HEADERS)

    return Starlette(
        routes=[
            *(Route(path, _file(*how)) for path, how in FILES.items()),
            Route("/sections/{section}", described, methods=["GET"]),
            Route("/sections/{section}", answered, methods=["POST"]),
        ],
        exception_handlers={HandbookError: refused},
    )


async def refused(_: Request, error: Exception) -> Response:
    """What is wrong, as the page shows it."""
    return JSONResponse({"error": str(error)}, getattr(error, "status", 400), headers=HEADERS)


def _file(name: str, kind: str) -> Any:
    content = Path(__file__).with_name(name).read_bytes()

    async def sent(_: Request) -> Response:
        return Response(content, media_type=kind, headers=HEADERS)

    return sent


def _section(request: Request) -> str:
    section = str(request.path_params["section"])
    if section not in CASES:
        raise RefusedError(404, str(unknown("section", section, CASES)))
    return section


async def read(request: Request) -> dict[str, Any]:
    """The object that a request brings; RefusedError for another kind, too much of it, or too slow.

    Asking for the type of JSON keeps other pages out: no form can send it.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise RefusedError(415, "expected the content type application/json")
    content = bytearray()
    try:
        async with asyncio.timeout(PATIENCE):
            async for part in request.stream():
                content += part
                if len(content) > LARGEST:
                    raise RefusedError(413, f"expected {LARGEST:,} bytes at most, found more")
    except TimeoutError:
        raise RefusedError(408, f"the request did not arrive within {PATIENCE:.0f} seconds") from None
    except ClientDisconnect:
        raise RefusedError(400, "the client left") from None
    try:
        body = json.loads(content, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise RefusedError(400, "expected a JSON object, found something else") from None
    if not isinstance(body, dict):
        raise RefusedError(400, f"expected a JSON object, found {type(body).__name__}")
    return body


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number of JSON")
