"""A body is read within its limits however it comes, and an answer says what its client has to know."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from handbook.serving import messages
from handbook.serving.batching import StoppedError
from handbook.serving.limits import Limits, RefusalError

LIMITS = Limits(body=10, sending=0.05)


def received(*pieces: bytes | None, promised: int | None = None) -> bytes:
    """The body that these pieces make; None is the client that leaves, and after the last one nothing comes."""
    sent = [
        {"type": "http.disconnect"} if piece is None else {"type": "http.request", "body": piece, "more_body": True}
        for piece in pieces
    ]

    async def receive() -> dict[str, Any]:
        if not sent:
            await asyncio.sleep(10)
        return sent.pop(0)

    if sent and sent[-1].get("body", b"").endswith(b"."):
        sent[-1]["more_body"] = False
    headers = [(b"content-length", str(promised).encode())] if promised else []
    return asyncio.run(messages.body({"headers": headers}, receive, LIMITS))


def test_a_body_is_the_same_in_however_many_pieces_it_comes() -> None:
    whole = b"012345678."
    for size in range(1, 11):
        assert received(*(whole[k : k + size] for k in range(0, 10, size))) == whole


@pytest.mark.parametrize(
    ("pieces", "promised", "status"),
    [
        ([b"0123456789."], None, 413),
        ([b"01234", b"", b"56789."], None, 413),
        ([b"0"] * 81, None, 413),  # not waited for to its end
        ([], 81, 413),  # not waited for at all
        ([b"0"], None, 408),
        ([b"0"], 10, 408),
    ],
)
def test_a_body_that_is_too_large_or_too_late_is_refused_and_its_connection_closed(
    pieces: list[bytes], promised: int | None, status: int
) -> None:
    with pytest.raises(RefusalError) as refused:
        received(*pieces, promised=promised)
    assert refused.value.status == status
    assert refused.value.close


def test_a_client_that_leaves_is_not_answered() -> None:
    with pytest.raises(StoppedError):
        received(b"0", None)
    left: list[bool] = []
    gone = iter([{"type": "http.request"}, {"type": "http.disconnect"}])

    async def receive() -> dict[str, Any]:
        return next(gone)

    asyncio.run(messages.until_left(receive, lambda: left.append(True)))
    assert left == [True]


def test_a_text_in_another_encoding_is_refused_and_parameters_are_kept() -> None:
    assert messages.content_type(" Image/PNG ") == ("image/png", {})
    assert messages.content_type('multipart/form-data; boundary="a b"') == ("multipart/form-data", {"boundary": "a b"})
    assert messages.content_type("text/csv; charset=UTF-8")[0] == "text/csv"
    with pytest.raises(RefusalError, match="expected UTF-8, found charset 'latin1'"):
        messages.content_type("text/csv; charset=latin1")


def test_an_answer_states_its_length_and_what_follows_from_its_status() -> None:
    def headers(status: int, **how: Any) -> dict[bytes, bytes]:
        sent: list[dict[str, Any]] = []

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        asyncio.run(messages.answer(send, (status, messages.JSON, b"[1]"), **how))
        assert [each["type"] for each in sent] == ["http.response.start", "http.response.body"]
        assert sent[0]["status"] == status
        return dict(sent[0]["headers"])

    assert headers(200) == {b"content-type": b"application/json", b"content-length": b"3"}
    assert headers(503, close=True)[b"retry-after"] == b"1"
    assert headers(413, close=True)[b"connection"] == b"close"
    assert b"script-src" in headers(200, path="/docs")[b"content-security-policy"]
