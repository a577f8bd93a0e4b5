"""Laws of texts: reading, numbering, layout in streams, drawing; and of the n-gram that a network must beat."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from handbook.data import texts
from handbook.data.texts import Request, Text
from handbook.errors import HandbookError

PLAY = "the raven doth wake the king, and the king doth wake the raven; the mill is silent. " * 3


def codes(text: str) -> tuple[Any, str]:
    alphabet = "".join(sorted(set(text)))
    return texts.encode(text, alphabet), alphabet


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "is empty; expected a text in UTF-8, found 0 bytes"),
        (b" \n\t\n", "is empty; .* found 4 bytes of blanks"),
        (b"two\nlines and \xe9", "is not UTF-8: byte 0xe9 at 14, in line 2"),
    ],
)
def test_a_file_that_is_no_text_is_refused(raw: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(raw)
    with pytest.raises(HandbookError, match=message):
        texts.read(tmp_path / "a.txt")


def test_a_missing_file_and_a_directory_are_named(tmp_path: Path) -> None:
    with pytest.raises(HandbookError, match=r"none.txt is missing; expected a text file"):
        texts.read(tmp_path / "none.txt")
    with pytest.raises(HandbookError, match="is a directory; expected a text file"):
        texts.read(tmp_path)


def test_line_ends_and_the_byte_order_mark_of_other_systems_do_not_matter(tmp_path: Path) -> None:
    for number, raw in enumerate((b"a\nb\n", b"a\r\nb\r\n", b"a\rb\r", b"\xef\xbb\xbfa\nb\n")):
        (tmp_path / f"{number}").write_bytes(raw)
        assert texts.read(tmp_path / f"{number}").content == "a\nb\n"


@given(st.text(min_size=1))
def test_decoding_undoes_encoding(text: str) -> None:
    numbers, alphabet = codes(text)
    assert texts.decode(numbers, alphabet) == text


def test_characters_that_were_never_seen_are_named() -> None:
    with pytest.raises(ValueError, match="never seen: '#', 'é'"):
        texts.encode("café #", "acf ")


@pytest.mark.parametrize("content", ["x", "to be", "to be or not to be, " * 5])
def test_a_text_shorter_than_its_windows_is_refused(content: str) -> None:
    with pytest.raises(HandbookError, match=r"mine.txt is too short: of its .* windows of 64 need more than 128"):
        texts.parts(Text(content, "mine.txt"), lower_case=True, held_out=0.1, validation=0.0, window=64)


def test_the_parts_are_the_text_in_order() -> None:
    part = texts.parts(Text(PLAY.upper(), "a"), lower_case=True, held_out=0.1, validation=0.2, window=10)
    assert str(part.development.join(part.test)) == PLAY
    assert len(part.test) == round(len(PLAY) * 0.1)


@pytest.mark.parametrize(
    ("characters", "window", "abreast"), [(1000, 10, 4), (997, 7, 16), (70, 64, 32), (640, 64, 10)]
)
def test_every_stream_goes_on_where_it_ended_and_no_window_is_read_twice(
    characters: int, window: int, abreast: int
) -> None:
    starts, size = texts.streams(characters, window, abreast)
    steps = starts.reshape(-1, size)
    assert all((after == before + window).all() for before, after in pairwise(steps))
    assert len(set(starts.tolist())) == len(starts)
    assert starts.max() + window <= characters
    assert len(starts) * window > characters - size * window


PROBABILITIES = torch.tensor([[0.1, 0.4, 0.2, 0.3], [0.25, 0.25, 0.25, 0.25]], dtype=torch.float64)


def test_top_k_of_one_is_greedy() -> None:
    kept = texts.truncated(PROBABILITIES, torch.tensor([1, 1]), torch.ones(2))
    assert kept.tolist() == [[0, 1, 0, 0], [1, 0, 0, 0]]


def test_top_p_keeps_the_fewest_that_hold_its_share() -> None:
    everything = torch.zeros(2, dtype=torch.int64)
    for share, kept in ((0.3, [1]), (0.4, [1]), (0.41, [1, 3]), (0.7, [1, 3]), (0.71, [1, 2, 3]), (1.0, [0, 1, 2, 3])):
        row = texts.truncated(PROBABILITIES, everything, torch.full((2,), share, dtype=torch.float64))[0]
        assert torch.nonzero(row).flatten().tolist() == kept, share
        assert float(row.sum()) == pytest.approx(1)


def test_without_limits_the_frequencies_are_those_of_the_softmax() -> None:
    n = 40_000
    probabilities = torch.tensor([2.0, 0.5, -1.0, 0.0], dtype=torch.float64).softmax(0).expand(n, 4)
    kept = texts.truncated(probabilities, torch.zeros(n, dtype=torch.int64), torch.ones(n))
    torch.testing.assert_close(kept, probabilities.contiguous())
    drawn = texts.drawn(kept, torch.rand(n, generator=torch.Generator().manual_seed(0), dtype=torch.float64))
    share = torch.bincount(drawn, minlength=4) / n
    deviation = (probabilities[0] * (1 - probabilities[0]) / n).sqrt()
    assert ((share - probabilities[0]).abs() < 4 * deviation).all()


def test_what_has_no_chance_is_never_drawn() -> None:
    probabilities = torch.tensor([[0.0, 0.5, 0.5, 0.0]], dtype=torch.float64).expand(3, 4)
    assert texts.drawn(probabilities, torch.tensor([0.0, 0.5, 1.0], dtype=torch.float64)).tolist() == [1, 2, 2]


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ([""], "the prompt is empty"),
        ([7], "prompt must be str, found 7"),
        (pd.DataFrame({"text": ["a"]}), r"expected the column prompt and any of length, .* found \['text'\]"),
        (pd.DataFrame({"prompt": ["a"], "warmth": [1]}), "found .*'warmth'"),
        (pd.DataFrame({"prompt": ["a"], "length": [0]}), "length must be 1 to 1,000,000, found 0"),
        (pd.DataFrame({"prompt": ["a"], "length": [2.5]}), "length must be int, found 2.5"),
        (pd.DataFrame({"prompt": ["a"], "temperature": [0.0]}), "temperature must be above 0 .*top_k 1.*, found 0.0"),
        (pd.DataFrame({"prompt": ["a"], "top_p": [1.5]}), "top_p must be above 0, at most 1, found 1.5"),
        (pd.DataFrame({"prompt": ["a"], "top_k": [-1]}), "top_k must be 0 .* found -1"),
        (pd.DataFrame({"prompt": ["a"], "seed": [-1]}), "seed must be 0 or more, found -1"),
        (pd.DataFrame({"prompt": ["a"], "top_k": ["many"]}), "top_k must be int, found 'many'"),
    ],
)
def test_a_request_that_is_none_is_refused(inputs: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        texts.requests(inputs)


def test_a_setting_that_is_left_out_is_the_default() -> None:
    table = pd.DataFrame({"prompt": ["a", "b"], "length": [5.0, None], "seed": [None, 3.0]})
    assert texts.requests(table) == [Request("a", 5), Request("b", seed=3)]
    assert texts.requests(["a"]) == [Request("a")]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
def test_a_text_of_ones_own_in_wide_characters_is_refused_with_the_way_to_convert_it(
    encoding: str, tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_bytes("When shall we three meet again\n".encode(encoding))
    with pytest.raises(HandbookError, match=rf"seems to be {encoding[:6].upper()}.*\nConvert it: iconv -f UTF-"):
        texts.own(tmp_path / "a.txt")
    (tmp_path / "a.txt").write_text("When shall we\n")
    assert texts.own(tmp_path / "a.txt") == texts.read(tmp_path / "a.txt")


def test_a_text_in_another_alphabet_is_the_same_text_or_refused() -> None:
    text = Text("abcab cab" * 20, "a")
    split = texts.parts(text, lower_case=True, held_out=0.1, validation=0.1, window=4)
    again = texts.renumbered(split, "cb xa")
    assert [str(each) for each in (again.train, again.valid, again.test)] == [
        str(each) for each in (split.train, split.valid, split.test)
    ]
    assert {each.alphabet for each in (again.train, again.test)} == {"cb xa"}
    assert texts.renumbered(split, split.test.alphabet) is split
    with pytest.raises(HandbookError, match="the text holds characters that the model has never seen: 'c'"):
        texts.renumbered(split, "ab ")
