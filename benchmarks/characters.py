"""Tiny Shakespeare by nanoGPT's split, one thread: a recurrent network beside a transformer in nanoGPT's setting.

Both cases of `params.yaml` are trained in turn, whole, and judged on the last tenth of the text, of which neither has
seen a character. *nats* is the mean over all of it: the recurrent network carries its memory, the transformer sees at
least three quarters of a window. *nats in windows* is nanoGPT's way, windows of 64 read from their beginning, for which
its README has 1.88. The seconds are those of training alone, by the clock and by the processor.
"""

from __future__ import annotations

import time
from typing import Any

from handbook import datasets
from handbook.evaluation.language import NATS
from handbook.project import Case, Project
from handbook.training.run import Run

CASES = ("shakespeare_lstm", "shakespeare_transformer")
OVERLAPS = {"shakespeare_transformer": 1}  # what reads a window from its beginning; a memory has no windows


def run() -> list[str]:
    """A row a case, and when the recurrent network is as good as the transformer ever gets."""
    project = Project.here()
    text = datasets.page("shakespeare").load(project.data("shakespeare"))
    found = {name: _learnt(project.case(name), text) for name in CASES}
    ours, theirs = (found[name] for name in CASES)
    passed = next((row for row in ours["rows"] if row[0] <= theirs["rows"][-1][0]), None)
    remark = (
        f"On the text that is watched, the end of training's last fiftieth, the recurrent network is below the "
        f"transformer's end ({theirs['rows'][-1][0]:.3f} nats, {theirs['seconds']:.0f} s) after {passed[1]:.0f} s."
        if passed
        else "On the text that is watched the recurrent network never gets as low as the transformer."
    )
    return [
        "| case | weights | nats | bits | nats in windows | seconds | of the processor |",
        "|---|---:|---:|---:|---:|---:|---:|",
        *(
            f"| `{name}` | {each['weights']:,} | **{each['nats']:.3f}** | {each['nats'] / NATS:.3f} | "
            f"{each['apart']} | {each['seconds']:.0f} | {each['processor']:.0f} |"
            for name, each in found.items()
        ),
        "",
        remark,
    ]


def _learnt(case: Case, text: Any) -> dict[str, Any]:
    """A case trained and judged: its nats, its seconds, and a row (watched nats, seconds until then) an epoch."""
    split = case.split(text)
    rows: list[tuple[float, float]] = []
    start, worked = time.perf_counter(), time.process_time()

    def tell(row: dict[str, float]) -> None:
        rows.append((row["valid_loss"], time.perf_counter() - start))
        print(f"  {case.name}: epoch {row['epoch']:.0f}, {row['valid_loss']:.3f} nats, {rows[-1][1]:.0f} s", flush=True)

    model = case.page.fit(split, case.params, Run(tell=tell))
    seconds, processor = time.perf_counter() - start, time.process_time() - worked

    def nats(**how: Any) -> float:
        return float(case.page.bits(model, split.test.codes, split.development.codes, **how).mean() * NATS)

    apart = f"{nats(overlap=OVERLAPS[case.name]):.3f}" if case.name in OVERLAPS else "–"
    weights = sum(each.numel() for each in model.parameters())
    return {
        "nats": nats(), "apart": apart, "weights": weights, "seconds": seconds, "processor": processor, "rows": rows,
    }  # fmt: skip
