"""The guard before each server of ours: it lets in what asks by a name of its own, and no page but its own.

A browser lets every page of the web send requests to loopback. Two headers, which no page can forge, tell them apart:
`Origin` names the page that asks; `Host` is the name by which it asks, and a name of somebody else's that was made to
point to loopback (DNS rebinding) is none of ours. A stranger on the same machine forges both: against that one there
is a password.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY_VIOLATION = 1008  # RFC 6455, how a WebSocket is refused
# Other pages cannot show ours in a frame to have them clicked unseen, nor load them as pictures or scripts.
HEADERS = {
    "X-Frame-Options": "SAMEORIGIN",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@dataclass(frozen=True)
class Guard:
    """An ASGI app before another one.

    Args:
        app: The guarded app.
        pages: Addresses at which people open it, such as http://127.0.0.1:4200: their origins and hosts are let in.
        names: Further hosts by which programs call it, such as prefect:4200.
        password: `user:password` that each request must carry (HTTP Basic); empty where the app asks for it itself.
        closed: Paths that nobody may reach, with all below them.
        health: The path that needs no password, for probes.
    """

    app: ASGIApp
    pages: tuple[str, ...]
    names: tuple[str, ...] = ()
    password: str = ""
    closed: tuple[str, ...] = ()
    health: str = "/health"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass it on, or refuse it with a reason."""
        if scope["type"] not in ("http", "websocket"):  # the server's own start and end
            await self.app(scope, receive, send)
            return
        refusal = self.refusal(scope)
        if refusal is None:
            await self.app(scope, receive, _with_headers(send))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": "refused"})
        else:
            await refusal(scope, receive, send)

    def refusal(self, scope: Scope) -> Response | None:
        """The answer to a request that is not let in; None lets it in."""
        headers = Headers(scope=scope)
        hosts = {urlsplit(page).netloc for page in self.pages} | set(self.names)
        requested, origins = headers.getlist("host"), headers.getlist("origin")
        if len(requested) != 1 or requested[0].lower() not in hosts:
            return _no(
                HTTPStatus.MISDIRECTED_REQUEST, f"Host {_list(requested)} is not this server. It is {self.pages[0]}"
            )
        if any(origin not in self.pages for origin in origins):
            return _no(HTTPStatus.FORBIDDEN, f"Pages of {_list(origins)} may not ask. This server is {self.pages[0]}")
        if any(_below(scope["path"], path) for path in self.closed):
            return _no(HTTPStatus.FORBIDDEN, "This is switched off here")
        if self.password and not self._known(headers, scope):
            challenge = {"WWW-Authenticate": 'Basic realm="handbook", charset="UTF-8"'}
            return _no(HTTPStatus.UNAUTHORIZED, "A password is asked for", challenge)
        return None

    def _known(self, headers: Headers, scope: Scope) -> bool:
        if scope["path"] == self.health and scope.get("method") == "GET":
            return True
        given = headers.get("authorization", "")
        want = "Basic " + base64.b64encode(self.password.encode()).decode()
        return hmac.compare_digest(given.encode(), want.encode())


def _below(path: str, top: str) -> bool:
    # doubled and closing slashes: what a router may take for the same path, is the same path
    parts, stop = ([part for part in each.lower().split("/") if part] for each in (path, top))
    return parts[: len(stop)] == stop


def _no(status: HTTPStatus, reason: str, headers: dict[str, str] | None = None) -> Response:
    return PlainTextResponse(f"{reason}\n", int(status), HEADERS | (headers or {}))


def _list(found: Iterable[str]) -> str:
    return ", ".join(map(repr, found)) or "(none)"


def _with_headers(send: Send) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sent
