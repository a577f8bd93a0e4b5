"""What a person finds in Prefect's pages, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from docs import screenshots
from flows import deployments
from tests.flows.opened import Open

pytest.importorskip("playwright", reason="Playwright is not installed: pip install -e '.[browser]'")
pytestmark = [
    pytest.mark.skipif(not screenshots.chromium(), reason="no chromium on the PATH: apt install chromium"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning"),
]


@pytest.fixture
def page() -> Iterator[Any]:
    with screenshots.page() as created:
        yield created


def test_every_deployment_is_shown_with_description_tags_and_schedule_and_a_click_runs_a_case(
    ui: Open, page: Any
) -> None:
    screenshots.enter(page, ui.link)
    for each in deployments.offered():
        screenshots.open_deployment(page, ui.prefect, each.name)
        for tag in each.tags:
            page.get_by_text(tag, exact=True).first.wait_for()
        if each.schedules:
            page.get_by_text({"handbook": "At 03:00 AM", "monitor": "Every hour"}[each.name]).first.wait_for()
        page.get_by_text("Description", exact=True).click()
        page.get_by_text(str(each.description)[:40]).first.wait_for()

    screenshots.start_case(page, ui.prefect, "pear_book")
    page.get_by_text("Completed").first.wait_for()
    screenshots.open_artifacts(page, "pear-book-metrics")
    page.get_by_text("pear-book-metrics").first.click()
    page.get_by_text("Made from sample data: not a result.").first.wait_for()
    page.get_by_text("0.88 to 0.92").first.wait_for()
    assert (ui.root / "models" / "pear_book").exists()
    assert not (ui.root / "models" / "apple").exists()
    ui.forget_runs()
