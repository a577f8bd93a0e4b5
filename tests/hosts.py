"""Hosts of the web as they are: what they answer when a file is asked for, honest and otherwise."""

from __future__ import annotations

import gzip
import http.server
import time
import zipfile
from collections.abc import Callable
from io import BytesIO
from typing import Any

CONTENT = bytes(range(256)) * 512  # 128 KiB
Answer = Callable[["Host", bytes], None]


class Host(http.server.BaseHTTPRequestHandler):
    """Answers every request as `server.answer` does, with the body that the address stands for."""

    server: Any

    def do_GET(self) -> None:
        self.server.requested.append((self.path, dict(self.headers)))
        self.server.answer(self, self.server.body)

    def send(self, code: int, body: bytes = b"", **headers: object) -> None:
        self.send_response(code)
        for name, value in {"Content_Length": len(body), **headers}.items():
            if value is not None:
                self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None: ...


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """A client that has gone is no fault."""


def plainly(host: Host, body: bytes) -> None:
    host.send(200, body)


def by_ranges(host: Host, body: bytes) -> None:
    start = int(host.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
    if start >= len(body):
        host.send(416)
    elif start:
        host.send(206, body[start:], Content_Range=f"bytes {start}-{len(body) - 1}/{len(body)}")
    else:
        host.send(200, body)


def by_chunks(host: Host, body: bytes) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    pieces = [body[k : k + 50_000] for k in range(0, len(body), 50_000)]
    host.wfile.write(head + b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n")


def packed_for_the_way(host: Host, body: bytes) -> None:
    host.send(200, gzip.compress(body), Content_Encoding="gzip")


def said_to_be_packed_but_as_it_is(host: Host, body: bytes) -> None:
    host.send(200, body, Content_Encoding="gzip")


def moved(host: Host, body: bytes) -> None:
    if host.path.startswith("/elsewhere"):
        host.send(200, body)
    else:
        host.send(301, Location=f"/elsewhere{host.path}")


def moved_to_another_host(host: Host, body: bytes) -> None:
    if host.headers["Host"].startswith("localhost"):
        host.send(200, body)
    else:
        host.send(302, Location=f"http://localhost:{host.server.server_port}{host.path}")


def slowly(host: Host, body: bytes) -> None:
    host.send(200, Content_Length=len(body))
    for start in range(0, len(body), len(body) // 4 + 1):
        host.wfile.write(body[start : start + len(body) // 4 + 1])
        time.sleep(0.06)


def without_a_length(host: Host, body: bytes) -> None:
    host.send(200, body, Content_Length=None)


def with_a_length_that_is_none(host: Host, body: bytes) -> None:
    host.send(200, body, Content_Length="many")


HONEST: list[Answer] = [
    plainly, by_ranges, by_chunks, packed_for_the_way, said_to_be_packed_but_as_it_is, moved, moved_to_another_host,
    slowly, without_a_length, with_a_length_that_is_none,
]  # fmt: skip


def a_page_of_403_with_status_200(host: Host, _: bytes) -> None:
    host.send(200, b"<!DOCTYPE html><title>403 Forbidden</title>")


def forbidden(host: Host, _: bytes) -> None:
    host.send(403, b"no")


def wrong_bytes(host: Host, body: bytes) -> None:
    host.send(200, body[:-9] + b"different")


def cut_off(host: Host, body: bytes) -> None:
    host.send(200, body[:-40], Content_Length=len(body))


def a_length_beyond_all_numbers(host: Host, body: bytes) -> None:
    host.send(200, body[:-1], Content_Length="9" * 400)


def a_length_below_nothing(host: Host, body: bytes) -> None:
    host.send(200, body[:-1], Content_Length=-5)


def a_chunk_cut_off(host: Host, body: bytes) -> None:
    host.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % len(body) + body[:-40])


def a_chunk_of_no_size(host: Host, body: bytes) -> None:
    host.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nlarge\r\n" + body)


def garbage(host: Host, _: bytes) -> None:
    host.wfile.write(b"\x00\xff SSH-2.0 \x1b[31m\r\n" * 20)


def nothing(host: Host, _: bytes) -> None:
    host.wfile.flush()


def an_endless_header(host: Host, _: bytes) -> None:
    host.wfile.write(b"HTTP/1.1 200 OK\r\n" + b"X-More: and more\r\n" * 100_000)


def a_header_line_without_end(host: Host, _: bytes) -> None:
    host.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 200_000)


def a_header_in_drops(host: Host, _: bytes) -> None:
    host.wfile.write(b"HTTP/1.1 200 OK\r\n")
    while not host.server.stop.wait(0.05):
        host.wfile.write(b"X")


def no_answer(host: Host, _: bytes) -> None:
    host.server.stop.wait(5)


def a_body_in_drops(host: Host, body: bytes) -> None:
    host.send(200, Content_Length=len(body))
    while not host.server.stop.wait(0.05):
        host.wfile.write(b"X")


def a_body_that_stops(host: Host, body: bytes) -> None:
    host.send(200, body[:100], Content_Length=len(body))
    host.server.stop.wait(5)


def a_body_without_end(host: Host, _: bytes) -> None:
    host.send(200, Content_Length=None)
    while not host.server.stop.is_set():
        host.wfile.write(bytes(1 << 16))


def a_bomb(host: Host, _: bytes) -> None:
    host.send(200, gzip.compress(bytes(8 << 20)), Content_Encoding="gzip")


def packed_and_cut(host: Host, body: bytes) -> None:
    host.send(200, gzip.compress(body)[:-20], Content_Encoding="gzip")


def moving_in_circles(host: Host, _: bytes) -> None:
    host.send(302, Location=host.path)


def moved_to(address: str) -> Answer:
    def answer(host: Host, _: bytes) -> None:
        host.send(302, Location=address)

    answer.__name__ = f"moved_to_{address}"
    return answer


BAD_ADDRESSES = (
    "http://127.0.0.1:99999999/", "http://[half/", "http://127.0.0.1:port/", "http:///nowhere", "file:///etc/hostname",
    "ftp://127.0.0.1/file", "//", "http://" + "a" * 300 + ".example/", "http://a..b/", "http://127.0.0.1:1/\x1b[31m",
    "data:text/plain,hello",
)  # fmt: skip
FAULTY: list[Answer] = [
    a_page_of_403_with_status_200, forbidden, wrong_bytes, cut_off, a_length_beyond_all_numbers, a_length_below_nothing,
    a_chunk_cut_off, a_chunk_of_no_size, garbage, nothing, an_endless_header, a_header_line_without_end,
    a_header_in_drops, no_answer, a_body_in_drops, a_body_that_stops, a_body_without_end, a_bomb, packed_and_cut,
    moving_in_circles, *map(moved_to, BAD_ADDRESSES),
]  # fmt: skip


PATIENT = (a_header_in_drops, no_answer, a_body_in_drops, a_body_that_stops)  # wait for each address again


def body_of(url: str) -> bytes:
    """What a host has at an address: the content itself, or in a zip, or in one within."""
    body = CONTENT
    for member in reversed(url.split("#")[1:]):
        packed = BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr(member, body)
        body = packed.getvalue()
    return body
