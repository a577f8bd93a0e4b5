"""Limits are stated and kept, and what is beyond them is refused before it costs anything."""

from __future__ import annotations

import dataclasses
import json

import pytest

from handbook.serving.inputs import Fault
from handbook.serving.limits import Limits, RefusalError

LIMITS = Limits.of("prompts", {"body": 1000, "prompt": 50, "length": 100, "characters": 200, "unknown": 1})


@pytest.mark.parametrize("kind", ["pictures", "rows", "prompts", "latents"])
def test_every_limit_that_concerns_a_model_is_stated_with_its_number(kind: str) -> None:
    stated = LIMITS.stated(kind)
    own = ("prompt", "length", "characters")
    assert set(stated) == {
        each.name for each in dataclasses.fields(Limits) if kind == "prompts" or each.name not in own
    }
    for name, text in stated.items():
        assert f"{getattr(LIMITS, name):,g}" in text.replace("1000", "1,000")


@pytest.mark.parametrize(
    ("prompts", "lengths", "words"),
    [
        (["x" * 51], [1], "50 characters a prompt, found 51"),
        (["x"], [1_000_000], "100 characters to write after a prompt"),
        (["x", "x" * 40], [1, 90], "200 characters of prompts and texts together, found 260"),
    ],
)
def test_texts_that_would_take_long_are_refused_by_each_of_their_measures(
    prompts: list[str], lengths: list[float], words: str
) -> None:
    with pytest.raises(RefusalError, match=words) as refused:
        LIMITS.check_writing(prompts, lengths)
    assert refused.value.status == 413
    LIMITS.check_writing(["x" * 50], [100])


@pytest.mark.parametrize("signs", ["[]", '{"a":}'])
def test_json_that_is_nested_too_deep_is_refused_unread(signs: str) -> None:
    start, end = signs[:-1], signs[-1]
    for deep, good in ((16, True), (17, False), (1_000_000, False)):
        body = (start * deep + end * deep).encode()
        if good:
            LIMITS.check_depth(body)
        else:
            with pytest.raises(RefusalError, match="at most 16 levels"):
                LIMITS.check_depth(body)


def test_brackets_in_a_text_and_brackets_side_by_side_are_not_deep() -> None:
    LIMITS.check_depth(json.dumps({"inputs": ["[" * 100 + '\\"{' * 100, "\\"]}).encode())
    LIMITS.check_depth(json.dumps([[]] * 1000).encode())


def test_a_refusal_names_some_faults_and_has_the_words_of_mlflows_clients() -> None:
    content = RefusalError(400, "why", [Fault(str(k), "age", "too old") for k in range(30)]).content()
    assert content["error_code"] == "BAD_REQUEST"
    assert content["message"] == "why"
    assert content["faults"][0] == {"name": "0", "column": "age", "problem": "too old"}
    assert len(content["faults"]) == 20
