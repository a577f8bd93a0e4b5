"""What a server takes: limits that are stated in its description and kept, and the answer to what is beyond them."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from handbook.serving.inputs import Fault

# HTTP's own words for a status, in the form that MLflow's clients read as `error_code`
CODES = {
    400: "BAD_REQUEST",
    404: "ENDPOINT_NOT_FOUND",
    405: "BAD_REQUEST",
    408: "REQUEST_TIMEOUT",
    413: "REQUEST_LIMIT_EXCEEDED",
    415: "BAD_REQUEST",
    500: "INTERNAL_ERROR",
    503: "TEMPORARILY_UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
NAMED = 20  # faults in an answer; the number of all of them stands beside
STRING = re.compile(rb'"(?:[^"\\]|\\.)*"')


class RefusalError(Exception):
    """A request that is not answered: its HTTP status, a sentence that says why, and the inputs that are at fault."""

    def __init__(self, status: int, message: str, faults: Sequence[Fault] = (), close: bool = False) -> None:
        super().__init__(message)
        self.status, self.message, self.faults = status, message, faults
        self.close = close  # the connection as well, since its body was not read to the end

    def content(self) -> dict[str, Any]:
        """The answer, with `error_code` and `message` as MLflow's scoring server has them."""
        found: dict[str, Any] = {"error_code": CODES[self.status], "message": self.message}
        if self.faults:
            found["faults"] = [
                {"name": each.name, "column": each.column, "problem": each.problem} for each in self.faults[:NAMED]
            ]
        return found


@dataclass(frozen=True)
class Limits:
    """How much a server takes; every request within them is answered within seconds on one core."""

    body: int = 8 << 20  # bytes of a request
    inputs: int = 1024  # pictures, rows, prompts or seeds of a request
    prompt: int = 5_000  # characters of a prompt
    length: int = 2_000  # characters to write after a prompt
    characters: int = 20_000  # of a request's prompts and what is to be written after them, rows x (prompt + length)
    depth: int = 16  # of lists and objects in JSON
    sending: float = 10.0  # seconds that a client may take to send a request
    seconds: float = 20.0  # from the end of the request to its answer; work that takes longer ends
    clients: int = 128  # requests at a time; further ones are asked to come again

    @classmethod
    def of(cls, kind: str, changes: Mapping[str, Any]) -> Limits:
        """The limits of a model that takes `kind`, and those that the server was started with."""
        own = {"prompts": {"inputs": 16}, "latents": {"inputs": 64}, "rows": {"inputs": 8192}}.get(kind, {})
        known = {field.name for field in dataclasses.fields(cls)}
        return cls(**{key: value for key, value in (own | dict(changes)).items() if key in known})

    def stated(self, kind: str) -> dict[str, str]:
        """Each limit that concerns a model which takes `kind`, in words, by its name."""
        text = {
            "body": f"a request of {self.body:,} bytes",
            "inputs": f"{self.inputs:,} {kind} a request",
            "depth": f"JSON {self.depth} levels deep",
            "sending": f"{self.sending:g} s to send a request",
            "seconds": f"{self.seconds:g} s from a request to its answer",
            "clients": f"{self.clients} requests at a time",
        }
        if kind == "prompts":
            text |= {
                "prompt": f"a prompt of {self.prompt:,} characters",
                "length": f"{self.length:,} characters to write after a prompt",
                "characters": f"{self.characters:,} characters in all prompts and texts of a request together",
            }
        return text

    def check_size(self, size: int) -> None:
        """RefusalError for a body of more bytes than are taken."""
        if size > self.body:
            raise RefusalError(
                413, f"expected at most {self.body:,} bytes a request, found {size:,} or more. Send less at a time",
                close=True,
            )  # fmt: skip

    def check_count(self, count: int, kind: str) -> None:
        """RefusalError for more inputs than are taken at a time."""
        if count > self.inputs:
            raise RefusalError(
                413, f"expected at most {self.inputs:,} {kind} a request, found {count:,}. Send several requests"
            )

    def check_depth(self, body: bytes) -> None:
        """RefusalError for JSON that is nested deeper than any input is, before it is read."""
        if body.count(b"[") + body.count(b"{") <= self.depth:
            return
        if _depth(body) > self.depth and (b'"' not in body or _depth(STRING.sub(b'""', body)) > self.depth):
            raise RefusalError(400, f"expected JSON of at most {self.depth} levels, found more. No input is that deep")

    def check_writing(self, prompts: Sequence[str], lengths: Sequence[float]) -> None:
        """RefusalError for prompts (N,) and lengths (N,) of texts to write that would take long."""
        longest, most = max(map(len, prompts), default=0), max(lengths, default=0)
        total = len(prompts) * (longest + most)  # they are written in step: each takes as long as the longest
        for found, limit, what in (
            (longest, self.prompt, "characters a prompt"),
            (most, self.length, "characters to write after a prompt (`length`)"),
            (total, self.characters, "characters of prompts and texts together"),
        ):
            if found > limit:
                raise RefusalError(
                    413, f"expected at most {limit:,} {what}, found {found:,.0f}. Ask for less at a time"
                )


def _depth(body: bytes) -> int:
    """How deep the brackets of a text are nested, those inside strings included."""
    signs = np.frombuffer(body, dtype=np.uint8) | 0x20  # as ASCII has it, { is [ and } is ] with this bit
    steps = (signs == ord("{")).astype(np.int8) - (signs == ord("}")).astype(np.int8)
    return int(np.cumsum(steps, dtype=np.int32).max(initial=0))
