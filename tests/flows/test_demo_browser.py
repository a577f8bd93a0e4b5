"""The demo in a real browser, by hand: every section, with the mouse and with the keyboard, wide and narrow."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn

from docs import screenshots
from handbook.serving.demo.app import application
from handbook.serving.demo.run import addresses
from handbook.serving.guard import Guard
from tests.serving.demo.toys import toys

pytest.importorskip("playwright", reason="Playwright is not installed: pip install -e '.[browser]'")
pytestmark = [
    pytest.mark.skipif(not screenshots.chromium(), reason="no chromium on the PATH: apt install chromium"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning"),
]


@pytest.fixture
def address(samples: Any) -> Iterator[str]:
    """The page with toys in the place of champions."""
    models = toys(samples)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        pages = addresses(taken)
        server = uvicorn.Server(uvicorn.Config(Guard(application(models), pages), log_level="warning"))
        thread = threading.Thread(target=server.run, args=([taken],))
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield pages[0]
        server.should_exit = True
        thread.join()


def test_every_section_answers_is_reached_by_keyboard_and_fits_a_telephone(address: str) -> None:
    faults: list[str] = []
    with screenshots.page() as page:
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda request: request.url.startswith((address, "data:")) or faults.append(request.url))
        page.goto(address)
        screenshots.try_everything(page)

        # what each section says is about what was brought
        page.locator("#look .said", has_text="The digit:").wait_for()
        assert page.locator("#why").get_attribute("alt")
        page.locator("#transaction .said", has_text="suspicious").wait_for()
        page.locator("#transaction svg[aria-label*='the payment at row']").wait_for()
        page.get_by_label("From one seed to the other").press("End")
        page.get_by_text("100 % of the way from seed 1 to 2").wait_for()
        assert page.locator("#banner").inner_text().startswith("Made from samples")

        # by keyboard alone, on a board that was cleared; and an example in place of a drawing
        page.locator("#clear").press("Enter")
        page.get_by_text("Nothing is drawn yet.").wait_for()
        for key in ("Space", *["ArrowDown"] * 4):
            page.locator("#board").press(key)
        page.locator("#look button[type=submit]").press("Enter")
        page.locator("#look .pictures:not([hidden])").wait_for()
        page.get_by_role("radio", name="a garment").check()
        page.locator("#look .by", has_text="garments version 2").wait_for()
        page.locator("#example").click()
        page.locator("#look .said", has_text="It is: garment").wait_for()

        # what is doubted and what is refused is said where it was asked
        page.locator("#client").get_by_label("age", exact=True).fill("1970")
        page.locator("#client button[type=submit]").click()
        page.locator("#client .note", has_text="1970").wait_for()
        page.locator("#client").get_by_label("age", exact=True).fill("")
        page.locator("#client button[type=submit]").click()
        page.locator("#client .said.error", has_text="age").wait_for()

        # everything has a name for those who cannot see it, and a telephone need not scroll sideways
        assert (
            page.evaluate("""[...document.querySelectorAll('input, select, textarea')]
            .filter((each) => !each.labels.length).length""")
            == 0
        )
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 844})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert not faults
