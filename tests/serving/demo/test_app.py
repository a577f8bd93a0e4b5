"""The demo's app: it answers its own page, in bounds, and nobody else's."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from handbook.project import Project
from handbook.serving.demo import app as demo
from handbook.serving.demo.models import Models
from handbook.serving.guard import Guard
from tests.conftest import small
from tests.serving.demo.toys import client

ADDRESS = "http://127.0.0.1:5002"
GOOD = {"values": {"age": 50, "job": "retired"}}
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def models(tmp_path: Path) -> Models:
    """One section has a model, the others none."""
    small(tmp_path, "digits")
    found = Models(Project(tmp_path))
    found.chosen["client"] = client()
    return found


def ask(models: Models, method: str, path: str, content: Any = None, **headers: str) -> httpx.Response:
    """A request to the guarded app, in this process."""

    async def sent() -> httpx.Response:
        transport = httpx.ASGITransport(Guard(demo.application(models), (ADDRESS,)), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=ADDRESS) as session:
            return await session.request(method, path, content=content, headers=headers)

    return asyncio.run(sent())


def test_the_page_is_served_with_its_files_and_loads_nothing_from_elsewhere(models: Models) -> None:
    for path, (name, kind) in demo.FILES.items():
        found = ask(models, "GET", path)
        assert found.status_code == 200
        assert found.headers["content-type"].startswith(kind)
        assert found.headers["content-security-policy"].startswith("default-src 'self'")
        text = (Path(demo.__file__).parent / name).read_text()
        assert "//" not in text.replace("http://www.w3.org/2000/svg", "").replace("\n//", "").replace(" //", "")


def test_a_section_is_described_and_answers(models: Models) -> None:
    assert ask(models, "GET", "/sections/client").json()["title"] == "clients version 1"
    found = ask(models, "POST", "/sections/client", json.dumps(GOOD), **JSON)
    assert found.status_code == 200
    assert found.json()["name"] == "yes"


def test_what_a_section_refuses_and_a_model_that_is_not_there_are_sentences(models: Models) -> None:
    found = ask(models, "POST", "/sections/client", "{}", **JSON)
    assert (found.status_code, "expected an object `values`" in found.json()["error"]) == (400, True)
    found = ask(models, "GET", "/sections/digit")
    assert (found.status_code, "dvc repro train@digits" in found.json()["error"]) == (400, True)
    assert "no section 'fruit'; choose from client" in ask(models, "GET", "/sections/fruit").json()["error"]


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 400), (b"[1]", 400), (b"null", 400), (b"{", 400), (b'{"a": NaN}', 400), (b"\xff", 400),
        (b"[" * 60_000, 400), (b'{"values": ' + b"[" * 30_000 + b"]" * 30_000 + b"}", 400),
        (b'"' + b"a" * demo.LARGEST + b'"', 413),
    ],
)  # fmt: skip
def test_a_body_that_is_no_object_or_too_large_is_refused(models: Models, content: bytes, status: int) -> None:
    found = ask(models, "POST", "/sections/client", content, **JSON)
    assert (found.status_code, "expected" in found.json()["error"]) == (status, True)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_what_a_form_of_another_page_can_send_is_refused(models: Models, kind: str) -> None:
    found = ask(models, "POST", "/sections/client", json.dumps(GOOD), **({"Content-Type": kind} if kind else {}))
    assert found.status_code == 415


@pytest.mark.parametrize(
    ("header", "status"),
    [({"Host": "evil.example:5002"}, 421), ({"Origin": "http://evil.example"}, 403), ({"Origin": "null"}, 403)],
)
def test_another_host_and_another_page_are_refused(models: Models, header: dict[str, str], status: int) -> None:
    assert ask(models, "POST", "/sections/client", json.dumps(GOOD), **JSON, **header).status_code == status
    assert ask(models, "GET", "/", **header).status_code == status


def test_a_request_that_does_not_arrive_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    from starlette.requests import Request

    async def never() -> Any:
        await asyncio.sleep(60)

    monkeypatch.setattr(demo, "PATIENCE", 0.01)
    scope = {"type": "http", "method": "POST", "headers": [(b"content-type", b"application/json")]}
    with pytest.raises(demo.RefusedError, match="did not arrive") as refused:
        asyncio.run(demo.read(Request(scope, never)))
    assert refused.value.status == 408
