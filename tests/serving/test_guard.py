"""What must hold for the guard before every server, whatever it guards."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from starlette.responses import PlainTextResponse

from handbook.serving.guard import Guard

PAGE = "http://127.0.0.1:5000"
NAMED = {"Host": "127.0.0.1:5000"}
GUARD = Guard(
    PlainTextResponse("inside"), (PAGE, "http://localhost:5000"), ("mlflow:5000",), "me:secret", closed=("/run/it",)
)


def key(password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(password.encode()).decode()}


async def _answer(path: str, headers: dict[str, str], method: str) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(GUARD)) as client:
        return await client.request(method, PAGE + path, headers=headers)


def ask(path: str = "/", method: str = "GET", **headers: str) -> httpx.Response:
    import asyncio

    return asyncio.run(_answer(path, NAMED | headers, method))


def test_the_password_opens_and_nothing_else_does() -> None:
    assert ask(**key("me:secret")).text == "inside"
    for wrong in ({}, key("me:secre"), key("me:secrets"), key(""), {"Authorization": "Basic é"}):
        refused = ask(**{name: text.encode("latin-1") for name, text in wrong.items()})  # type: ignore[arg-type]
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"].startswith("Basic ")


def test_a_probe_needs_no_password_and_may_only_look() -> None:
    assert ask("/health").text == "inside"
    assert ask("/health", "POST").status_code == 401
    assert ask("/health/x").status_code == 401


@pytest.mark.parametrize("path", ["/run/it", "/run/it/", "/run/it/now", "//run//it", "/Run/It"])
def test_what_is_closed_is_closed_to_the_password_too(path: str) -> None:
    assert ask(path, **key("me:secret")).status_code == 403
    assert ask(path.replace("it", "its").replace("It", "its"), **key("me:secret")).status_code == 200


def test_programs_may_use_further_names_but_pages_of_those_names_may_not_ask() -> None:
    assert ask(**key("me:secret") | {"Host": "mlflow:5000"}).status_code == 200
    assert ask(**key("me:secret") | {"Host": "mlflow:5000", "Origin": "http://mlflow:5000"}).status_code == 403
    assert ask(**key("me:secret") | {"Host": "LOCALHOST:5000", "Origin": "http://localhost:5000"}).status_code == 200


def test_a_second_host_or_none_is_refused() -> None:
    def answer(*headers: tuple[bytes, bytes]) -> Any:
        return GUARD.refusal({"type": "http", "path": "/", "method": "GET", "headers": [*headers]})

    host, known = (b"host", b"127.0.0.1:5000"), (b"authorization", key("me:secret")["Authorization"].encode())
    assert answer(host, known) is None
    assert answer(known).status_code == answer(host, (b"host", b"evil.example"), known).status_code == 421
    assert answer(host, known, (b"origin", PAGE.encode()), (b"origin", b"https://evil.example")).status_code == 403


def test_no_other_page_may_show_ours_in_a_frame_or_take_parts_of_it() -> None:
    for answer in (ask(**key("me:secret")), ask()):
        assert answer.headers["x-frame-options"] == "SAMEORIGIN"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"


def test_containers_start_only_with_passwords_and_answer_to_their_own_names() -> None:
    compose = yaml.safe_load((Path(__file__).parents[2] / "compose.yaml").read_text())["services"]
    for name, port, secret in (
        ("prefect", 4200, "PREFECT_SERVER_API_AUTH_STRING"),
        ("mlflow", 5000, "HANDBOOK_MLFLOW_AUTH_STRING"),
    ):
        command, env = " ".join(compose[name]["command"]), compose[name]["environment"]
        assert command.startswith(f"python -m flows.pages {name} ")
        pages = f"--pages http://127.0.0.1:{port} http://localhost:{port}"
        assert f"{pages} --names {name}:{port}" in command
        assert compose[name]["ports"] == [f"127.0.0.1:{port}:{port}"]
        assert re.search(r"\$\{HANDBOOK_PASSWORD:\?.+\}", env[secret])
    for worker in ("worker", "worker-gpu"):
        env = compose[worker]["environment"]
        assert env["PREFECT_API_AUTH_STRING"] == "handbook:${HANDBOOK_PASSWORD:?}"
        assert (env["MLFLOW_TRACKING_USERNAME"], env["MLFLOW_TRACKING_PASSWORD"]) == (
            "handbook",
            "${HANDBOOK_PASSWORD:?}",
        )
