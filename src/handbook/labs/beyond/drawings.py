"""The lab's pictures of the cliff walk: the paths that are learnt, and what learning costs."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from handbook.evaluation.figures import BLUE, GREY, INK, ORANGE, canvas
from handbook.evaluation.figures.style import plain_axes
from handbook.labs.beyond import agents, cliff
from handbook.labs.beyond.agents import EPISODES, LAST, SPREAD, Learnt
from handbook.labs.beyond.cliff import COLUMNS, EXPLORED, GOAL, ROWS, START, Array

GREEN = "#2e8b57"  # beside the colours of all figures
STYLES = {"Q-learning": (ORANGE, "-"), "SARSA": (BLUE, "--")}


def paths(learnt: dict[str, Learnt]) -> Figure:
    """How often the seeds' greedy walks visit each cell, and the two paths that are best."""
    figure, axes = canvas(len(learnt), 1, size=(8.6, 5.8))
    best, _ = cliff.value_iteration()
    careful, _ = cliff.value_iteration(EXPLORED)
    shown = (("shortest", best, INK, "-"), (f"best with {EXPLORED:.0%} of the steps explored", careful, GREY, "--"))
    for place, (name, each) in zip(axes, learnt.items(), strict=True):
        visits = np.zeros(cliff.STATES)
        for values in each.values:
            visits[list(dict.fromkeys(cliff.path(values.argmax(axis=1))))] += 100 / len(each.values)
        image = place.imshow(visits.reshape(ROWS, COLUMNS), cmap="Blues", vmin=0, vmax=100, aspect="auto", alpha=0.55)
        place.axvspan(0.5, COLUMNS - 1.5, 0, 1 / ROWS, color=ORANGE, alpha=0.35, lw=0)
        place.text((COLUMNS - 1) / 2, ROWS - 1, "cliff", ha="center", va="center", fontsize=10)
        for label, values, colour, dash in shown:
            cells = np.array(cliff.path(values.argmax(axis=1)))
            place.plot(cells % COLUMNS, cells // COLUMNS, dash, color=colour, lw=1.8, label=label)
        place.text(START % COLUMNS, ROWS - 1, "start", ha="center", va="center", fontsize=8, bbox=_box())
        place.text(GOAL % COLUMNS, ROWS - 1, "goal", ha="center", va="center", fontsize=8, bbox=_box())
        arrived = int((each.share_of_optimum > 0).sum())
        place.set(xticks=range(COLUMNS), yticks=range(ROWS), xlabel="column", ylabel="row")
        place.set_title(
            f"{name}: {arrived} of {len(each.values)} greedy walks arrive; share of the optimum "
            f"{_with_spread(each.share_of_optimum, 2)}", fontsize=10,
        )  # fmt: skip
    figure.colorbar(image, ax=list(axes), label="seeds whose walk visits the cell (%)", shrink=0.7)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False, fontsize=9)
    inner = [cell for cell in cliff.path(careful.argmax(axis=1)) if 0 < cell % COLUMNS < COLUMNS - 1]
    clear = ROWS - 2 - max(cell // COLUMNS for cell in inner)
    figure.suptitle(
        f"The shortest walk costs {-best[START].max():.0f}, but {-agents.exploring(best):.1f} where "
        f"{EXPLORED:.0%} of the steps explore;\nthe best walk then costs {-agents.exploring(careful):.1f} "
        f"and leaves {clear} row between itself and the cliff", fontsize=11,
    )  # fmt: skip
    return figure


def _box() -> dict[str, object]:
    return {"boxstyle": "round,pad=0.2", "fc": "white", "ec": INK, "lw": 0.6}


def _with_spread(values: Array, digits: int) -> str:
    return f"{values.mean():.{digits}f} ± {values.std(ddof=1):.{digits}f}"


def returns(learnt: dict[str, Learnt]) -> Figure:
    """The return of walk after walk while learning, the mean of the seeds and the middle 80 % of them."""
    figure, axes = canvas(size=(7.8, 4.4))
    best, _ = cliff.value_iteration()
    careful, _ = cliff.value_iteration(EXPLORED)
    for name, each in learnt.items():
        _curve(axes, each.returns, name)
    for values, label, colour, dash in (
        (agents.exploring(careful), "best there is while exploring", INK, ":"),
        (agents.exploring(best), "shortest path while exploring", GREY, "-."),
    ):
        axes.axhline(values, ls=dash, color=colour, lw=1.3, label=f"{label}: {values:.1f}")
    axes.set(xlabel="walks", ylabel=f"return of a walk, mean of {SPREAD}", ylim=(-150, 0), xlim=(0, EPISODES))
    axes.legend(frameon=False, fontsize=8.5, loc="lower right", ncols=2)
    plain_axes(axes)
    late = {name: _with_spread(each.late_returns, 1) for name, each in learnt.items()}
    falls = {name: f"{each.late_falls.mean():.0f}" for name, each in learnt.items()}
    figure.suptitle(
        f"Over the last {LAST} walks, still exploring: {' and '.join(f'{n} {v}' for n, v in late.items())};\n"
        f"falls in 100 walks: {', '.join(f'{n} {v}' for n, v in falls.items())} "
        f"({len(next(iter(learnt.values())).returns)} seeds)", fontsize=11,
    )  # fmt: skip
    return figure


def _curve(axes: Axes, returns: Array, name: str) -> None:
    colour, dash = STYLES[name]
    sums = np.cumsum(np.pad(returns, ((0, 0), (1, 0))), axis=1)
    smooth = (sums[:, SPREAD:] - sums[:, :-SPREAD]) / SPREAD
    walks = np.arange(SPREAD, EPISODES + 1)
    low, high = np.percentile(smooth, [10, 90], axis=0)
    axes.plot(walks, smooth.mean(axis=0), dash, color=colour, lw=1.8, label=name)
    axes.fill_between(walks, low, high, color=colour, alpha=0.18, lw=0)
