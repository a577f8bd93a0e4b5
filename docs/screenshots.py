"""python -m docs.screenshots: the pictures in docs/pictures, taken of this checkout in a real browser.

Starts what `make ui` starts, on free ports; starts a case by clicks; looks at Prefect, at MLflow with the cases of
chapter 7 side by side, at the report, and goes through the demo. Needs Chromium (Debian:
apt install chromium) and Playwright (pip install -e ".[browser]").
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from flows import ui
from handbook.errors import HandbookError
from handbook.project import Project
from handbook.registry import tracking

if TYPE_CHECKING:
    from playwright.sync_api import Page

PICTURES = Path(__file__).with_name("pictures")
COMPARED = ("rbf", "mlp", "boosting")
# No sandbox: it needs what containers do not give. The rest: nothing that speaks to anybody but our servers.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 120_000.0  # milliseconds: a page that has loaded may still wait for its server on a busy machine


def chromium() -> str | None:
    """The system's Chromium, if it has one; Playwright's own is not used."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@contextmanager
def page() -> Iterator[Page]:
    """A page in a headless browser of its own. HandbookError if there is no Chromium."""
    from playwright.sync_api import sync_playwright

    where = chromium()
    if where is None:
        raise HandbookError("no chromium on the PATH. Debian has it as a package: apt install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=where, args=FLAGS)
        try:
            made = browser.new_page(viewport={"width": 1400, "height": 900})
            made.set_default_timeout(PATIENCE)
            yield made
        finally:
            browser.close()


def enter(page: Page, link: str) -> None:
    """Prefect's pages by the link that `make ui` prints, as a person who clicks on it and waits until they are there.

    Prefect's first page asks the server whether the password is right, and forgets it where that question fails: by
    leaving the page too early as well.
    """
    page.goto(link)
    page.get_by_text("Deployments", exact=True).first.wait_for()  # in the menu, which who is not let in does not see


def open_deployment(page: Page, prefect: str, name: str) -> None:
    """By clicks, from the list of all."""
    from playwright.sync_api import TimeoutError  # not Python's own

    link = page.locator('a[href*="/deployments/deployment/"]', has_text=name).first
    for _ in range(4):  # a list that was asked for while the server was busy stays empty
        page.goto(f"{prefect}/deployments")
        page.wait_for_timeout(500)
        with suppress(TimeoutError):
            link.wait_for(timeout=20_000)
            break
    link.click()
    page.get_by_role("button", name="Run", exact=True).wait_for()


def start_case(page: Page, prefect: str, case: str) -> None:
    """Start `case-study` for a case by clicks; ends on the page of its run."""
    from playwright.sync_api import TimeoutError  # not Python's own

    open_deployment(page, prefect, "case-study")
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_text("Custom run").click()
    chosen = page.locator(".p-select-button").first
    for _ in range(20):  # a click while the form is laid out goes astray, gives the focus alone, or closes the list
        chosen.click()
        page.keyboard.press("ArrowDown")  # opens a list that has the focus
        with suppress(TimeoutError):
            page.locator(".p-select-option").get_by_text(case, exact=True).click(timeout=2_000)
            page.wait_for_timeout(200)
        if chosen.inner_text().strip() == case:
            break
    submit, run = page.get_by_role("button", name="Submit"), page.locator('a[href*="/runs/flow-run/"]').first
    for _ in range(4):
        if submit.is_visible():
            submit.click()
        with suppress(TimeoutError):
            run.wait_for(timeout=20_000)
            break
        if not submit.is_visible():  # the note with the link is gone, and the list was asked for too early
            page.goto(f"{prefect}/runs")
    run.click()
    page.get_by_text("Task Runs", exact=True).wait_for()  # its tab; a list of runs counts "task runs"


def open_artifacts(page: Page, name: str) -> None:
    """The artifacts of the run whose page is open, with that of this name among them.

    Prefect's page asks for the list once, so the tab is opened again until the run has written it.
    """
    from playwright.sync_api import TimeoutError  # not Python's own

    for _ in range(12):
        page.get_by_text("Artifacts", exact=True).last.click()
        with suppress(TimeoutError):
            page.get_by_text(name).first.wait_for(timeout=10_000)
            return
        page.reload()
    raise HandbookError(f"{page.url}: the run has no artifact named {name} after two minutes")


@contextmanager
def demo(project: Project) -> Iterator[str]:
    """Where `handbook demo` is, started as a person starts it, on a free port."""
    command = [sys.executable, "-m", "handbook", "demo", "--port", "0"]
    with subprocess.Popen(command, cwd=project.root, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().split(" is at ")[1].split(",")[0]
        finally:
            process.terminate()


def try_everything(page: Page) -> None:
    """Go through all sections of the demo by hand: a drawn seven, a digit, a text, a client and a payment."""
    board = page.locator("#board")
    page.locator("#look .by", has_text="answers").wait_for()
    board.scroll_into_view_if_needed()
    box = board.bounding_box()
    assert box
    corners = [(80, 70), (200, 70), (130, 220)]
    page.mouse.move(box["x"] + corners[0][0], box["y"] + corners[0][1])
    page.mouse.down()
    for x, y in corners[1:]:
        page.mouse.move(box["x"] + x, box["y"] + y, steps=5)
    page.mouse.up()
    for section in ("look", "drawing", "writing", "client", "transaction"):
        page.locator(f"#{section} .by", has_text="answers").wait_for()
        page.locator(f"#{section} button[type=submit]").click()
    for shown in ("#why[src]", "#drawn[src]", ".texts article", "#client table", "#transaction table"):
        page.locator(shown).first.wait_for()


def demo_pictures(project: Project, browser: Page) -> None:
    """Three sections of the demo, after all have been tried."""
    with demo(project) as address:
        browser.set_viewport_size({"width": 1280, "height": 900})
        browser.goto(address)
        try_everything(browser)
        for section in ("look", "client", "transaction"):
            browser.locator(f"#{section}").screenshot(path=PICTURES / f"demo_{section}.png")


def main() -> None:
    """Take all pictures."""
    top = argparse.ArgumentParser(prog="docs.screenshots", description=__doc__)
    top.add_argument("--case", default="classifiers_iris", help="which is started by clicks (default: %(default)s)")
    top.add_argument("--demo", action="store_true", help="the pictures of the demo alone")
    arguments, project = top.parse_args(), Project.here()
    PICTURES.mkdir(exist_ok=True)
    if arguments.demo:
        with page() as browser:
            demo_pictures(project, browser)
        return
    case = arguments.case
    with ui.everything(project.root, dict.fromkeys(ui.PORTS, 0)) as servers, page() as browser:
        prefect, mlflow, reports = (server.address for server in servers[:3])
        enter(browser, ui.entrance(project.root, servers[0]))
        browser.goto(f"{prefect}/deployments")
        browser.get_by_text("case-study").first.wait_for()
        _shoot(browser, "prefect_deployments")
        start_case(browser, prefect, case)
        browser.get_by_text("Completed").first.wait_for()
        _shoot(browser, "prefect_run")
        open_artifacts(browser, f"{case.replace('_', '-')}-metrics")
        _shoot(browser, "prefect_artifacts")
        side_by_side = compared(project, mlflow)
        browser.goto(side_by_side)
        browser.get_by_text(
            "Model training"
        ).click()  # its pages open on those for language models, and this leaves ours
        browser.goto(side_by_side)
        _shoot(browser, "mlflow_compare", settle=8000)
        browser.goto(f"{reports}/index.html")
        _shoot(browser, "report")
        demo_pictures(project, browser)


def compared(project: Project, mlflow: str) -> str:
    """The page of MLflow that holds the last registered runs of some cases side by side."""
    pages = [url for name in COMPARED if (url := tracking.run_url(project, name, mlflow))]
    experiments, runs = zip(*[(url.split("/")[-3], url.split("/")[-1]) for url in pages], strict=True)
    return f"{mlflow}/#/compare-runs?runs={quote(json.dumps(runs))}&experiments={quote(json.dumps(experiments))}"


def _shoot(page: Page, name: str, settle: float = 2000) -> None:
    page.wait_for_timeout(settle)  # until what moves has come to rest
    page.screenshot(path=PICTURES / f"{name}.png")


if __name__ == "__main__":
    main()
