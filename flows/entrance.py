"""The page of Prefect's server that a printed link leads to: it keeps the password in the browser, as a login does.

Prefect's own pages ask for `user:password` in a form and keep it in the browser's storage for their origin. A link
carries it behind a #, which a browser never sends: no log holds it. It is tried first, and kept if it is right.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from urllib.parse import quote

from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Receive, Scope, Send

PATH = "/enter"
# `prefect-password`, in Base64: what Prefect 3.8's form writes, and both of its user interfaces read.
SCRIPT = """
const secret = decodeURIComponent(location.hash.slice(1));
history.replaceState(null, "", location.pathname);
const say = (text) => { document.querySelector("p").textContent = text; };
const enter = async () => {
  const key = btoa(secret);
  const answer = await fetch("/api/admin/version", { headers: { Authorization: "Basic " + key } });
  if (!answer.ok) return say("This link is no longer right. The one that make ui printed last is.");
  localStorage.setItem("prefect-password", key);
  location.replace("/");
};
enter().catch(() => say("Prefect does not answer. Does make ui still run?"));
"""
PAGE = f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Prefect</title><p>One moment.</p><script>{SCRIPT}</script></html>
"""
_HASH = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; connect-src 'self'; script-src 'sha256-{_HASH}'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
}


def link(address: str, password: str) -> str:
    """The address that lets in whoever follows it."""
    return f"{address}{PATH}#{quote(password, safe=':')}"


@dataclass(frozen=True)
class Entrance:
    """Prefect's app with one more page."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The page, or what Prefect says."""
        ours = scope["type"] == "http" and scope["path"] == PATH and scope["method"] == "GET"
        await (HTMLResponse(PAGE, headers=HEADERS) if ours else self.app)(scope, receive, send)
