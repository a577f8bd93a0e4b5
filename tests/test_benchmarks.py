"""Results of benchmarks: each in a section of its own."""

from __future__ import annotations

from benchmarks.__main__ import BENCHMARKS, with_section


def test_a_section_is_replaced_and_the_others_stay_in_their_order() -> None:
    first, second = BENCHMARKS[:2]
    text = with_section(with_section("", second, "two\n\n| a |\n|---|"), first, "one")
    assert text.index(f"## {first}\n\none") < text.index(f"## {second}\n\ntwo\n\n| a |\n|---|")
    assert with_section(text, first, "one") == text
    assert with_section(text, first, "another") == text.replace("one\n", "another\n")
