"""The web, from hosts that need not be well-behaved: an answer within seconds, or one of `FAULTS`.

A login that an address carries is used as Basic auth, on that host alone, and stands in no message.
"""

from __future__ import annotations

import base64
import http.client
import re
import threading
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote, urljoin, urlsplit

from handbook.errors import HandbookError

CONNECT_SECONDS = 4.0  # for a name to be resolved and a connection made, however many addresses the name has
ANSWER_SECONDS = 20.0  # from there to the end of the headers; some hosts pack an archive first
STALL_SECONDS = 20.0  # without a byte
FAULTS = (OSError, http.client.HTTPException, ValueError, OverflowError, EOFError, zlib.error, HandbookError)
KEPT_IN_ADDRESSES = "%/:=&?~+!$,;'@()*[]"  # everything that an address may hold as it is


class RefusedError(OSError):
    """An answer, though not the wanted one."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"HTTP {code} {reason}".strip())
        self.code = code


@dataclass
class Network:
    """Which hosts did not answer; two silent ones in a row, and the network is given up for the rest of the run."""

    silent: set[str] = field(default_factory=set)
    in_a_row: int = 0

    def open(self, url: str, offset: int = 0) -> Any:
        """The answer to a request for a file, from a byte on; an OSError within seconds where there is none."""
        address, login = split_login(url)
        host = urlsplit(address).netloc.lower()
        if host in self.silent or self.in_a_row >= 2:
            raise OSError("host did not answer before" if host in self.silent else "no host answers")
        headers = {"User-Agent": "handbook"} | ({"Range": f"bytes={offset}-"} if offset else {})
        request = urllib.request.Request(address, headers=headers)  # noqa: S310 (the opener knows http alone)
        if login:
            request.add_unredirected_header("Authorization", login)
        try:
            answer = _Call(request).answer()
        except RefusedError:
            self.in_a_row = 0
            raise
        except OSError:
            self.silent.add(host)
            self.in_a_row += 1
            raise
        self.in_a_row = 0
        return answer


def split_login(url: str) -> tuple[str, str]:
    """An address without the user and password that it may carry, and these as the header that says them."""
    parts = urlsplit(url)
    if parts.scheme.lower() not in ("http", "https"):
        raise ValueError("expected an address that begins with http:// or https://")
    userinfo, at, host = parts.netloc.rpartition("@")
    try:
        urlsplit(f"//{host}").port  # noqa: B018 (raises where it is none)
    except ValueError:
        hint = "; in a user or password write / as %2F, # as %23, ? as %3F" if at or "@" in url else ""
        raise ValueError(f"the port is no number from 0 to 65535{hint}") from None
    if not urlsplit(f"//{host}").hostname:
        raise ValueError("the address names no host")
    clean = quote(parts._replace(scheme=parts.scheme.lower(), netloc=host, fragment="").geturl(), KEPT_IN_ADDRESSES)
    pair = base64.b64encode(unquote(userinfo).encode()).decode()
    return clean, f"Basic {pair}" if at else ""


def without_login(text: str) -> str:
    """An address as it may be shown: without whatever stands before its last `@`, well-formed or not."""
    return re.sub(r"//.*@", "//", text)


def said(error: BaseException) -> str:
    """What went wrong, in one line without control characters, whatever a host has put in it."""
    reason = getattr(error, "reason", None)
    text = str(reason if isinstance(reason, OSError) else error) or type(error).__name__
    if isinstance(error, http.client.HTTPException):
        text = f"the answer is no sound HTTP ({type(error).__name__}: {text})"
    line = " ".join("".join(each if each.isprintable() else " " for each in text).split()) or type(error).__name__
    return line if len(line) <= 300 else f"{line[:300]}..."


class _Call:
    """One request in a thread of its own: neither resolving a name nor reading headers can be cut off otherwise."""

    def __init__(self, request: urllib.request.Request) -> None:
        self._request = request
        self._connected, self._ended = threading.Event(), threading.Event()
        self._given_up = threading.Lock()  # held by whoever decides the outcome
        self._late = False
        self._result: Any = None

    def answer(self) -> Any:
        threading.Thread(target=self._run, daemon=True).start()
        if self._wait(self._connected, CONNECT_SECONDS):
            self._wait(self._ended, ANSWER_SECONDS)
        with self._given_up:
            self._late = not self._ended.is_set()
            if self._late:
                met = self._connected.is_set()
                what, seconds = ("whole answer", ANSWER_SECONDS) if met else ("connection", CONNECT_SECONDS)
                raise TimeoutError(f"no {what} within {seconds:g} seconds")
        if isinstance(self._result, BaseException):
            raise self._result
        return self._result

    def _wait(self, event: threading.Event, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while not (event.is_set() or self._ended.is_set()):
            if time.monotonic() > end:
                return False
            event.wait(0.05)
        return True

    def _run(self) -> None:
        result: Any
        try:
            result = self._opener().open(self._request, timeout=CONNECT_SECONDS)
        except urllib.error.HTTPError as error:
            result = RefusedError(error.code, str(error.reason))
            error.close()
        except FAULTS as error:
            result = error
        except Exception as error:  # what urllib did not foresee is the host's fault, not a traceback
            result = ValueError(f"{type(error).__name__}: {error}")
        with self._given_up:
            self._result = result
            self._ended.set()
            if self._late and hasattr(result, "close"):
                result.close()

    def _opener(self) -> urllib.request.OpenerDirector:
        opener = urllib.request.OpenerDirector()  # not build_opener, which knows file, ftp and data as well
        connected = self._connected
        for handler in (
            urllib.request.ProxyHandler(),
            _Handler(connected),
            _Redirects(),
            urllib.request.HTTPDefaultErrorHandler(),
            urllib.request.HTTPErrorProcessor(),
            urllib.request.UnknownHandler(),
        ):
            opener.add_handler(handler)
        return opener


class _Patient:
    """A connection that is made within seconds, and then waits longer for bytes."""

    connected: threading.Event
    sock: Any

    def connect(self) -> None:
        super().connect()  # type: ignore[misc]
        self.connected.set()
        self.sock.settimeout(STALL_SECONDS)


class _Http(_Patient, http.client.HTTPConnection):
    pass


class _Https(_Patient, http.client.HTTPSConnection):
    pass


class _Handler(urllib.request.HTTPSHandler, urllib.request.HTTPHandler):
    def __init__(self, connected: threading.Event) -> None:
        super().__init__()
        self._connected_event = connected

    def _signalling(self, kind: Any) -> Callable[..., Any]:
        def make(host: str, **settings: Any) -> Any:
            connection = kind(host, **settings)
            connection.connected = self._connected_event
            return connection

        return make

    def http_open(self, request: urllib.request.Request) -> Any:
        return self.do_open(self._signalling(_Http), request)

    def https_open(self, request: urllib.request.Request) -> Any:
        return self.do_open(self._signalling(_Https), request)


class _Redirects(urllib.request.HTTPRedirectHandler):
    """To http and https alone; the login goes along to the same host and to no other."""

    def http_error_302(self, req: Any, fp: Any, code: int, msg: str, headers: Any) -> Any:
        try:
            return super().http_error_302(req, fp, code, msg, headers)
        except ValueError:
            fp.close()  # which urllib leaves open
            raise

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302

    def redirect_request(  # noqa: PLR0917 (urllib's own)
        self, request: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> Any:
        target = urljoin(request.full_url, newurl)
        try:
            address, _ = split_login(target)
        except ValueError as error:
            raise ValueError(f"redirected to a bad address: {error}") from None
        fresh = super().redirect_request(request, fp, code, msg, headers, address)
        login = request.unredirected_hdrs.get("Authorization")
        if fresh is not None and login and urlsplit(address)[:2] == urlsplit(request.full_url)[:2]:
            fresh.add_unredirected_header("Authorization", login)
        return fresh
