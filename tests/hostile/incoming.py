"""Hostile inputs of users: rows, pictures, prompts, seeds, batches for `monitor` and requests to `serve`."""

from __future__ import annotations

import asyncio
import gzip
import io
import itertools
import json
import random
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
from PIL import Image

from handbook import datasets
from handbook.monitoring import inbox, reading
from handbook.serving import bodies, choice, prediction
from handbook.serving.choice import Chosen
from handbook.serving.limits import RefusalError
from tests.hostile import damage
from tests.hostile.law import Attack


@dataclass
class Predictions:
    """Attacks on `predict`: whatever is brought, each input is answered or named."""

    room: Path
    pictures: Chosen
    rows: Chosen
    prompts: Chosen
    latents: Chosen

    def attacks(self, rng: random.Random) -> Iterator[Attack]:
        for number in itertools.count():
            kind = rng.choice(["rows", "pictures", "prompts", "latents"])
            place = self.room / f"{kind}-{number}"
            what, given = getattr(self, f"_{kind}")(place, rng)
            yield Attack(f"predict {kind}", what, self._answered(getattr(self, kind), given, place))

    def _answered(self, chosen: Chosen, given: list[str], place: Path) -> Callable[[], str]:
        def bring() -> str:
            try:
                drawn = choice.kind_of(chosen) == "latents"
                output = place / ("drawn" if drawn else "answers.csv")
                outcome = prediction.answer(chosen, given, output)
                if drawn:
                    there = len(list(output.glob("*.png"))) if output.exists() else 0
                else:
                    there = len(pd.read_csv(output, keep_default_na=False))
                return "" if there == outcome.answered else f"{outcome.answered} answered, {there} written"
            finally:
                left = [path.name for path in place.glob(".*")]
                shutil.rmtree(place)
                assert not left, f"left behind: {left}"

        return bring

    def _rows(self, place: Path, rng: random.Random) -> tuple[str, list[str]]:
        rows = self.rows.example.sample(6, replace=True, random_state=rng.randrange(1 << 30))
        what, content = damage.table(rows.to_csv(index=False).encode(), rng)
        name = rng.choice(["a.csv", "a.csv", "a.csv.gz", "a.tsv", "a"])
        packed = gzip.compress(content) if name.endswith("gz") and rng.random() < 0.8 else content
        return f"{name}: {what}", [_put(place, name, packed)]

    def _pictures(self, place: Path, rng: random.Random) -> tuple[str, list[str]]:
        out, pixels = io.BytesIO(), self.pictures.example[rng.randrange(len(self.pictures.example))]
        mode, form = rng.choice(["L", "1", "RGB", "RGBA", "P", "LA", "I;16", "CMYK"]), rng.choice(["PNG", "JPEG"])
        picture = Image.fromarray(pixels)
        if rng.random() < 0.2:
            picture = picture.resize((rng.randrange(1, 60), rng.randrange(1, 60)))
        try:
            picture.convert(mode).save(out, form)
        except (OSError, ValueError):  # a form that cannot hold that mode
            picture.save(out, form)
        what, content = damage.any_bytes(out.getvalue(), rng) if rng.random() < 0.9 else ("as it is", out.getvalue())
        if rng.random() < 0.1:
            what, content = "a bomb", _bomb(rng)
        name = rng.choice(["a.png", "a.jpg", "a.PNG", "a b.jpeg", "é.png"])
        path = _put(place, name, content)
        _put(place, "good.png", _png(self.pictures.example[0]))
        return f"{name} {mode}: {what}", [path] if rng.random() < 0.3 else [str(place)]

    def _prompts(self, place: Path, rng: random.Random) -> tuple[str, list[str]]:
        place.mkdir()
        if rng.random() < 0.4:
            word = rng.choice([*damage.WORDS, "a bad", "deaf ", "ω", "a" * 300, "*", "-", "{}", "prompt.txt", "\ud800"])
            return f"prompt {word[:20]!r}", [word]
        table = "prompt,length,temperature,top_k,top_p,seed\na bad,4,0.5,3,0.9,1\ndeaf,2,1,0,1,7\n"
        what, content = damage.table(table.encode(), rng)
        return f"prompts.csv: {what}", [_put(place, "prompts.csv", content)]

    def _latents(self, place: Path, rng: random.Random) -> tuple[str, list[str]]:
        place.mkdir()
        if rng.random() < 0.3:
            word = rng.choice([*damage.WORDS, *map(str, damage.NUMBERS), "7"])
            return f"seed {word[:20]!r}", [word]
        what, content = damage.table(b"seed,label\n1,3\n2,7\n3,1\n", rng)
        return f"seeds.csv: {what}", [_put(place, "seeds.csv", content)]


def _put(place: Path, name: str, content: bytes) -> str:
    place.mkdir(exist_ok=True)
    (place / name).write_bytes(content)
    return str(place / name)


def _png(pixels: Any) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def _bomb(rng: random.Random) -> bytes:
    """A picture of black that unpacks to far more than it is."""
    side = rng.choice([2000, 9000])
    return _png(np.zeros((side, side), np.uint8))


@dataclass
class Batches:
    """Attacks on `monitor`: a batch is read, left alone or refused, and what is wrong with it is said."""

    room: Path
    data: Mapping[str, Path]  # the folder of each dataset

    def attacks(self, rng: random.Random) -> Iterator[Attack]:
        for number in itertools.count():
            name = rng.choice(["iris", "iris", "bank_marketing", "mnist"])
            place = self.room / f"batch-{number}"
            what = (self._pair if name == "mnist" else self._table)(name, place, rng)
            yield Attack(f"batches of {name}", what, self._looked_at(name, place))

    def _looked_at(self, name: str, place: Path) -> Callable[[], str]:
        page = datasets.page(name)

        def bring() -> str:
            try:
                found, waiting = inbox.find(place, page, 0.0)
                if not found and not waiting:
                    return "nothing is said of the files"
                for batch in found:
                    content = reading.read(page, self.data[name], batch.held, self.room / f"scratch-{place.name}")
                    if content.loaded is not None and len(content.facts) != len(content.loaded):
                        return "facts and rows are not as many"
            finally:
                for folder in (place, self.room / f"scratch-{place.name}"):
                    shutil.rmtree(folder, ignore_errors=True)
            return ""

        return bring

    def _table(self, name: str, place: Path, rng: random.Random) -> str:
        page = datasets.page(name)
        own = self.data[name] / page.FILES[0].name
        text = gzip.decompress(own.read_bytes()) if own.suffix == ".gz" else own.read_bytes()
        lines = text.splitlines(keepends=True)
        few = b"".join([lines[0], *rng.sample(lines[1:], 12)])
        mark = ";" if lines[0].count(b";") > 2 else ","
        what, content = damage.table(few, rng, mark)
        file = rng.choice(["a.csv", "a.2026-11-26.csv", "** a.csv", "-é.csv", "a.CSV", "a.csv.gz", ".csv"])
        _put(place, file, content)
        return f"{file}: {what}"

    def _pair(self, name: str, place: Path, rng: random.Random) -> str:
        images = np.zeros((3, 28, 28), np.uint8) + rng.randrange(256)
        parts = {
            inbox.IMAGES: b"\0\0\x08\x03" + np.array([3, 28, 28], ">i4").tobytes() + images.tobytes(),
            inbox.LABELS: b"\0\0\x08\x01" + np.array([3], ">i4").tobytes() + bytes([1, 2, 3]),
        }
        end = rng.choice(list(parts))
        inside = rng.random() < 0.6
        what, changed = damage.any_bytes(parts[end] if inside else gzip.compress(parts[end]), rng)
        for each, content in parts.items():
            packed = gzip.compress(changed if each == end and inside else content)
            _put(place, f"a{each}", changed if each == end and not inside else packed)
        return f"{end} {'before packing' if inside else 'packed'}: {what}"


@dataclass
class Requests:
    """Attacks on `serve`: every request is answered, or refused with a status, in JSON and without a stack trace."""

    apps: Mapping[str, Any]  # by the kind of inputs

    def attacks(self, rng: random.Random) -> Iterator[Attack]:
        for app in self.apps.values():
            app.examples = {path: app.pages[path]() for path in app.pages if path.startswith("/examples/")}
        while True:
            kind = rng.choice(list(self.apps))
            app = self.apps[kind]
            _, mime, body = app.examples[rng.choice(list(app.examples))]
            what, content = self._spoilt(mime.decode(), body, rng)
            declared = mime.decode()
            if rng.random() < 0.15:
                declared = rng.choice(
                    [
                        *itertools.chain(*bodies.TAKEN.values()),
                        "",
                        "text/plain",
                        "application/json; charset=latin1",
                        "multipart/form-data",
                        "multipart/form-data; boundary=" + "x" * 200,
                        ";;;",
                        "a" * 3000,
                    ]
                )
            yield Attack(
                f"requests for {kind}", f"{declared[:60]}: {what}", self._sent(app, declared, content), way=False
            )

    def _spoilt(self, mime: str, body: bytes, rng: random.Random) -> tuple[str, bytes]:
        if mime == bodies.JSON:
            return damage.json_file(body, rng)
        return damage.table(body, rng) if mime == bodies.CSV else damage.any_bytes(body, rng)

    def _sent(self, app: Any, mime: str, body: bytes) -> Callable[[], str]:
        async def send() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://toy") as client:
                return await client.post("/invocations", content=body, headers={"content-type": mime.encode()})

        def bring() -> str:
            answer = asyncio.run(send())
            content = json.loads(answer.content)
            if "Traceback" in answer.text or ".py" in answer.text:
                return f"a stack trace: {answer.text[:100]}"
            if answer.status_code >= 500:
                return f"status {answer.status_code}: {answer.text[:100]}"
            if answer.status_code == 200:
                return "" if isinstance(content["predictions"], list) else "no predictions"
            if not content["error_code"]:
                return "a refusal without a code"
            raise RefusalError(answer.status_code, content["message"])

        return bring
