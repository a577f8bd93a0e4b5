"""Attacks on what `make ui` starts, by pages in a real browser whose owner is let in."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from docs import screenshots
from tests.flows.opened import Open

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")

# What a page can try by itself. `Blob`: a body without a type needs no leave, and Prefect takes it for JSON.
TRIES = """
async ([prefect, mlflow, id]) => {
  const json = { "Content-Type": "application/json" };
  const body = JSON.stringify({ description: "owned" });
  const start = JSON.stringify({ parameters: { case: "apple" } });
  const made = JSON.stringify({ name: "owned" });
  const run = `${prefect}/api/deployments/${id}/create_flow_run`;
  const create = `${mlflow}/ajax-api/2.0/mlflow/experiments/create`;
  const tries = {
    patch: () => fetch(`${prefect}/api/deployments/${id}`, { method: "PATCH", headers: json, body }),
    blind: () => fetch(run, { method: "POST", mode: "no-cors", body: new Blob([start]) }),
    start: () => fetch(run, { method: "POST", headers: json, body: start }),
    read: () => fetch(`${prefect}/api/flow_runs/filter`, { method: "POST", body: new Blob(["{}"]) }),
    make: () => fetch(create, { method: "POST", headers: json, body: made }),
    hidden: () => fetch(create, { method: "POST", mode: "no-cors", body: made }),
    look: () => fetch(`${mlflow}/ajax-api/2.0/mlflow/experiments/search?max_results=9`),
    socket: () => new Promise((good, bad) => {
      const socket = new WebSocket(prefect.replace("http", "ws") + "/api/events/in", "prefect");
      socket.onopen = () => good({ status: 101 });
      socket.onerror = bad;
    }),
  };
  const found = {};
  for (const [name, ask] of Object.entries(tries)) {
    try { found[name] = (await ask()).status; } catch { found[name] = "refused"; }
  }
  return found;
}
"""


@pytest.fixture
def evil() -> Iterator[str]:
    """The address of a page of somebody else's."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>Kittens</title>")

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://evil.example:{server.server_port}"
        server.shutdown()


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A browser for which evil.example is this machine, as after DNS rebinding."""
    pytest.importorskip("playwright", reason="Playwright is not installed: pip install -e '.[browser]'")
    if not screenshots.chromium():
        pytest.skip("no chromium on the PATH: apt install chromium")
    bound = "--host-resolver-rules=MAP evil.example 127.0.0.1"
    monkeypatch.setattr(screenshots, "FLAGS", [*screenshots.FLAGS, bound])
    with screenshots.page() as created:
        yield created


def test_a_page_in_the_browser_of_somebody_who_is_let_in_can_do_nothing(ui: Open, evil: str, page: Any) -> None:
    deployment = ui.deployment()["id"]
    screenshots.enter(page, ui.link)
    assert ui.password not in page.url
    for origin in (evil, evil.replace("evil.example", "127.0.0.1")):
        page.goto(origin)
        found = page.evaluate(TRIES, [ui.prefect, ui.mlflow, deployment])
        assert found == dict.fromkeys(found, "refused")
    ui.untouched()


def test_a_name_bound_to_this_machine_shows_a_browser_nothing(ui: Open, page: Any) -> None:
    for server in (ui.prefect, ui.mlflow, ui.reports):
        answer = page.goto(server.replace("127.0.0.1", "evil.example"))
        assert answer.status == 421
        assert "is not this server" in page.content()


def test_a_wrong_link_lets_nobody_in_and_says_so(ui: Open, page: Any) -> None:
    page.goto(f"{ui.prefect}/enter#handbook:guess")
    page.get_by_text("no longer right").wait_for()
    assert page.evaluate("localStorage.getItem('prefect-password')") is None
