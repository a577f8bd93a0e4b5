"""What a person finds in Prefect's pages, in a real browser."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from docs import screenshots
from flows import deployments

pytest.importorskip("playwright", reason="Playwright is not installed: pip install -e '.[browser]'")
pytestmark = [
    pytest.mark.skipif(not screenshots.chromium(), reason="no chromium on the PATH: apt install chromium"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning"),
]


@pytest.fixture
def prefect(toy: Path) -> Iterator[str]:
    """The link to Prefect's pages that `make ui` prints, with all that it starts around a toy checkout."""
    command = [sys.executable, "-m", "flows.ui", "--prefect", "0", "--mlflow", "0", "--reports", "0"]
    env = os.environ | {"PREFECT_HOME": str(toy / ".prefect")}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as ui:
        assert ui.stdout is not None
        output = ""
        while "Ctrl-C" not in output:
            line = ui.stdout.readline()
            assert line, f"it ended before it was up: {output}"
            output += line
        found = re.search(r"^Prefect\s+(\S+)", output, re.MULTILINE)
        assert found
        yield found[1]
        ui.send_signal(signal.SIGTERM)
        assert ui.wait(60) == 0


@pytest.fixture
def page() -> Iterator[Any]:
    with screenshots.page() as created:
        yield created


def test_every_deployment_is_shown_with_description_tags_and_schedule_and_a_click_runs_a_case(
    prefect: str, page: Any, toy: Path
) -> None:
    screenshots.enter(page, prefect)
    prefect = prefect.split("/enter", maxsplit=1)[0]
    for each in deployments.offered():
        screenshots.open_deployment(page, prefect, each.name)
        for tag in each.tags:
            page.get_by_text(tag, exact=True).first.wait_for()
        if each.schedules:
            page.get_by_text({"handbook": "At 03:00 AM", "monitor": "Every hour"}[each.name]).first.wait_for()
        page.get_by_text("Description", exact=True).click()
        page.get_by_text(str(each.description)[:40]).first.wait_for()

    screenshots.start_case(page, prefect, "pear_book")
    page.get_by_text("Completed").first.wait_for()
    page.get_by_text("Artifacts", exact=True).last.click()
    page.get_by_text("pear-book-metrics").first.click()
    page.get_by_text("Made from sample data: not a result.").first.wait_for()
    page.get_by_text("0.88 to 0.92").first.wait_for()
    assert (toy / "models" / "pear_book").exists()
    assert not (toy / "models" / "apple").exists()
