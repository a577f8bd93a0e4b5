"""Texts, a character at a time: read, numbered, cut into parts, laid out in streams, and written on.

A text is an array (N,) of numbers 0 to V - 1, one for each character, in the order of its alphabet of V characters.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from handbook.contract import Split
from handbook.errors import HandbookError
from handbook.files import encodings

if TYPE_CHECKING:
    import pandas as pd
    import torch


Codes = npt.NDArray[np.int64]
START = 64  # bytes by which another encoding is known
Follow = Callable[["torch.Tensor"], "torch.Tensor"]


@dataclass(frozen=True)
class Text:
    """A text, its line ends as \\n, and the file that it was read from."""

    content: str
    name: str

    def __len__(self) -> int:
        return len(self.content)


def read(path: Path) -> Text:
    """A text file in UTF-8; a HandbookError says what is wrong with it."""
    if path.is_dir():
        raise HandbookError(f"{path} is a directory; expected a text file in UTF-8")
    if not path.exists():
        raise HandbookError(f"{path} is missing; expected a text file in UTF-8")
    raw = path.read_bytes()
    try:
        content = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise HandbookError(
            f"{path} is not UTF-8: byte {raw[error.start]:#04x} at {error.start:,}, in line {line:,}.\n"
            f"Convert it: iconv -f LATIN1 -t UTF-8 {path} > converted.txt   (if Latin 1 is what it is)"
        ) from None
    if not content.strip():
        raise HandbookError(f"{path} is empty; expected a text in UTF-8, found {len(raw):,} bytes of blanks")
    return Text(content.replace("\r\n", "\n").replace("\r", "\n"), path.name)


def own(path: Path) -> Text:
    """A text file of a user's own; a HandbookError says what is wrong with it, and what else than UTF-8 it may be."""
    if path.exists() and not path.is_dir():
        if not path.is_file():
            raise HandbookError(f"{path} is no regular file; expected a text file in UTF-8")
        with path.open("rb") as stream:
            found = encodings.wide(stream.read(START))
        if found:
            raise HandbookError(
                f"{path} is not UTF-8 but seems to be {found}.\n"
                f"Convert it: iconv -f {found} -t UTF-8 {path} > converted.txt"
            )
    return read(path)


def encode(text: str, alphabet: str) -> Codes:
    """The number (N,) of each character in the alphabet; a ValueError names the characters that it does not have."""
    numbers = {character: number for number, character in enumerate(alphabet)}
    foreign = sorted(set(text) - set(numbers))
    if foreign:
        raise ValueError(f"characters that the model has never seen: {', '.join(map(repr, foreign))}")
    return np.array([numbers[character] for character in text], dtype=np.int64)


def decode(codes: npt.ArrayLike, alphabet: str) -> str:
    """The text of some numbers (N,)."""
    return "".join(alphabet[code] for code in np.asarray(codes))


@dataclass(frozen=True)
class Passage:
    """A stretch of a text as numbers (N,), and the alphabet of the whole text that it was cut from."""

    codes: Codes
    alphabet: str

    def __len__(self) -> int:
        return len(self.codes)

    def __str__(self) -> str:
        return decode(self.codes, self.alphabet)

    def join(self, other: Passage) -> Passage:
        """This stretch, then the other one."""
        return Passage(np.concatenate([self.codes, other.codes]), self.alphabet)

    def halve(self, share: float, seed: int) -> tuple[Passage, Passage]:
        """The stretch without its last share, and that share: nothing is drawn, since a text is read in its order."""
        end = len(self.codes) - round(len(self.codes) * share)
        return Passage(self.codes[:end], self.alphabet), Passage(self.codes[end:], self.alphabet)


def parts(text: Text, *, lower_case: bool, held_out: float, validation: float, window: int) -> Split[Passage]:
    """The last share of a text to judge on, the last share of the rest to watch; the alphabet is that of the whole.

    Raises a HandbookError if too little is left to train on.
    """
    content = text.content.lower() if lower_case else text.content
    alphabet = "".join(sorted(set(content)))
    codes = encode(content, alphabet)
    judged = round(len(codes) * held_out)
    watched = round((len(codes) - judged) * validation)
    n_train = len(codes) - judged - watched
    if n_train <= 2 * window or judged < 2:
        raise HandbookError(
            f"{text.name} is too short: of its {len(codes):,} characters {max(n_train, 0):,} are left to train on, and "
            f"windows of {window} need more than {2 * window}. Take a longer text, or a smaller `window`"
        )
    train, valid, test = (Passage(part, alphabet) for part in np.split(codes, [n_train, n_train + watched]))
    return Split(train, valid if watched else None, test)


def renumbered(split: Split[Passage], alphabet: str) -> Split[Passage]:
    """The same text as numbers in another alphabet; HandbookError for characters that it does not have."""

    def again(passage: Passage) -> Passage:
        return Passage(encode(str(passage), alphabet), alphabet)

    if split.test.alphabet == alphabet:
        return split
    try:
        return Split(again(split.train), split.valid and again(split.valid), again(split.test))
    except ValueError as error:
        raise HandbookError(
            f"the text holds {error}. It can be judged on texts in its own {len(alphabet)} characters: take the others "
            "out, or train a model of its own on this text"
        ) from None


def streams(characters: int, window: int, abreast: int) -> tuple[Codes, int]:
    """Where the windows of a text start (steps * streams,), and how many streams there are, at most those asked for.

    The text is cut into streams of one length; step by step all are read a window further, abreast: the window b of
    every step goes on where the window b of the step before ended, and the memory can be carried.
    """
    size = max(1, min(abreast, characters // window))
    steps = characters // (size * window)
    first = np.arange(size) * steps * window
    return (np.arange(steps)[:, None] * window + first).reshape(-1), size


@dataclass(frozen=True)
class Request:
    """What a model is asked to write: so many characters after a prompt, and how they are to be drawn."""

    prompt: str
    length: int = 400  # characters, after the prompt
    temperature: float = 0.8  # below 1 the likely becomes likelier, above 1 less likely
    top_k: int = 0  # draw among so many, the likeliest; 0: among all, 1: always the likeliest
    top_p: float = 1.0  # draw among the fewest that hold such a share of the probability
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.prompt:
            raise ValueError("the prompt is empty: a text needs at least one character to go on from")
        for name, good, wanted in (
            ("length", 1 <= self.length <= 1_000_000, "1 to 1,000,000"),
            ("temperature", 0 < self.temperature < float("inf"), "above 0 (for the likeliest throughout: top_k 1)"),
            ("top_k", self.top_k >= 0, "0 (all) or more"),
            ("top_p", 0 < self.top_p <= 1, "above 0, at most 1"),
            ("seed", 0 <= self.seed < 1 << 63, "0 or more"),
        ):
            if not good:
                raise ValueError(f"{name} must be {wanted}, found {getattr(self, name)}")


def requests(inputs: pd.DataFrame | Sequence[str]) -> list[Request]:
    """A request for each row of a table with the column `prompt` and any of the others, or for each prompt of a list.

    A setting that is missing, as a column or in a row, is the default. ValueError names what is no request.
    """
    import pandas as pd

    table = inputs if isinstance(inputs, pd.DataFrame) else pd.DataFrame({"prompt": list(inputs)})
    kinds = {"prompt": str, "length": int, "temperature": float, "top_k": int, "top_p": float, "seed": int}
    strange = [str(column) for column in table.columns if column not in kinds]
    if strange or "prompt" not in table.columns:
        raise ValueError(f"expected the column prompt and any of {', '.join([*kinds][1:])}, found {[*table.columns]}")
    rows = (
        {key: value for key, value in row.items() if key == "prompt" or not pd.isna(value)}
        for row in table.to_dict("records")
    )
    return [Request(**{key: _setting(key, value, kinds[key]) for key, value in row.items()}) for row in rows]


def _setting(name: str, value: Any, kind: type) -> Any:
    """The value as its kind; a ValueError if that would change it."""
    fits = isinstance(value, str) if kind is str else isinstance(value, int | float | np.number)
    if not fits or (kind is int and value != int(value)):
        raise ValueError(f"{name} must be {kind.__name__}, found {value!r}")
    return kind(value)


def truncated(probabilities: torch.Tensor, top_k: torch.Tensor, top_p: torch.Tensor) -> torch.Tensor:
    """Probabilities (B, V) of which only the likeliest stay: `top_k` (B,) of them, 0 for all (Fan et al. 2018), and of
    these the fewest that hold a share of `top_p` (B,) (nucleus sampling, Holtzman et al. 2020, section 3.1)."""
    import torch

    ranked, order = probabilities.sort(dim=1, descending=True, stable=True)
    rank = torch.arange(ranked.shape[1], device=ranked.device)
    ranked = torch.where((rank < top_k[:, None]) | (top_k[:, None] == 0), ranked, 0.0)
    ranked = ranked / ranked.sum(dim=1, keepdim=True)
    before = ranked.cumsum(dim=1) - ranked
    ranked = torch.where((before < top_p[:, None]) | (rank == 0), ranked, 0.0)
    return torch.zeros_like(ranked).scatter(1, order, ranked / ranked.sum(dim=1, keepdim=True))


def drawn(probabilities: torch.Tensor, uniform: torch.Tensor) -> torch.Tensor:
    """The character (B,) that a uniform number (B,) in [0, 1) picks by probabilities (B, V): their inverse sum."""
    reached = probabilities.cumsum(dim=1)
    total = reached[:, -1:]
    place = (reached <= uniform[:, None] * total).sum(dim=1)
    last = (probabilities.shape[1] - 1) - (probabilities > 0).flip(1).int().argmax(dim=1)  # rounding may step past it
    return place.minimum(last)


def written(follow: Follow, requests: Sequence[Request], alphabet: str, *, lower_case: bool = False) -> list[str]:
    """The prompt of each request and what is drawn after it; all are written in step, a character at a time.

    `follow` is handed the text so far (B, T), again and again with more of it, and names the probabilities (B, V) of
    what may come next as logits. A request draws by its own seed: what is written for it is the same beside any others.
    Prompts are lowered as the text was that `lower_case` is for.
    """
    import torch

    starts = [each.prompt.lower() if lower_case else each.prompt for each in requests]
    prompts = [torch.from_numpy(encode(prompt, alphabet)) for prompt in starts]
    known = torch.tensor([len(prompt) for prompt in prompts])
    ends = [len(prompt) + each.length for prompt, each in zip(prompts, requests, strict=True)]
    text = torch.zeros(len(prompts), max(ends), dtype=torch.int64)
    uniform = torch.zeros(len(prompts), max(ends), dtype=torch.float64)
    for row, (prompt, each, end) in enumerate(zip(prompts, requests, ends, strict=True)):
        text[row, : len(prompt)] = prompt
        source = torch.Generator().manual_seed(each.seed)
        uniform[row, len(prompt) : end] = torch.rand(each.length, generator=source, dtype=torch.float64)
    heat, top_k, top_p = (
        torch.tensor([getattr(each, name) for each in requests]) for name in ("temperature", "top_k", "top_p")
    )
    for place in range(int(known.min()), max(ends)):
        logits = follow(text[:, :place]).cpu().double()
        probabilities = truncated((logits / heat[:, None]).softmax(dim=1), top_k, top_p)
        text[:, place] = torch.where(place < known, text[:, place], drawn(probabilities, uniform[:, place]))
    return [decode(row[:end].tolist(), alphabet) for row, end in zip(text, ends, strict=True)]
