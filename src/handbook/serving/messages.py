"""What goes between a server and its clients, as ASGI has it: bodies within their limits, answers with headers."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from handbook.serving import description
from handbook.serving.batching import StoppedError
from handbook.serving.limits import Limits, RefusalError

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Answer = tuple[int, bytes, bytes]  # status, content type, body
JSON, TEXT, PAGE = b"application/json", b"text/plain; version=0.0.4; charset=utf-8", b"text/html; charset=utf-8"
DROPPED = 8  # times the limit of a body is read and dropped, so that its sender hears why it is refused


def header(scope: Scope, name: bytes) -> str:
    """The first header of that name, in small letters; "" for none."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


def content_type(text: str) -> tuple[str, dict[str, str]]:
    """A content type and its parameters; RefusalError for a text in another encoding than UTF-8."""
    if ";" not in text:
        return text.strip().lower(), {}
    from werkzeug.http import parse_options_header

    mime, options = parse_options_header(text)
    if options.get("charset", "utf-8").lower() not in ("utf-8", "utf8"):
        raise RefusalError(415, f"expected UTF-8, found charset {options['charset']!r}")
    return mime.lower(), options


async def body(scope: Scope, receive: Receive, limits: Limits) -> bytes:
    """The whole body; RefusalError if it is too large or takes too long to arrive, StoppedError if its sender left."""
    parts, size = [], 0
    promised = header(scope, b"content-length")
    try:
        if promised.isdigit() and int(promised) > limits.body * DROPPED:
            limits.check_size(int(promised))
        async with asyncio.timeout(limits.sending):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise StoppedError
                size += len(message.get("body", b""))
                if size <= limits.body:
                    parts.append(message.get("body", b""))
                else:
                    parts.clear()
                if not message.get("more_body") or size > limits.body * DROPPED:
                    break
    except TimeoutError:
        raise RefusalError(408, f"the request did not arrive within {limits.sending:g} s", close=True) from None
    limits.check_size(size)
    return parts[0] if len(parts) == 1 else b"".join(parts)


async def until_left(receive: Receive, leave: Callable[[], None]) -> None:
    """Call `leave` once the client has left."""
    with contextlib.suppress(ConnectionError):
        while (await receive())["type"] != "http.disconnect":
            pass
    leave()


def refusal(problem: RefusalError) -> Answer:
    """What is answered to a request that is refused."""
    return problem.status, JSON, json.dumps(problem.content()).encode()


async def answer(send: Send, given: Answer, path: str = "", close: bool = False) -> None:
    """Send an answer; with `close` no request follows on its connection."""
    status, kind, content = given
    headers = [(b"content-type", kind), (b"content-length", str(len(content)).encode())]
    if close:
        headers.append((b"connection", b"close"))
    if status == 503:
        headers.append((b"retry-after", b"1"))
    if path == "/docs":
        headers.append((b"content-security-policy", description.POLICY.encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
