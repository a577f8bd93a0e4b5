"""What a sweep proposes: the best settings as a file, and as a patch of params.yaml that a person may apply."""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from handbook.files import leftovers
from handbook.files.formats import write_text
from handbook.project import Case, Project
from handbook.registry.gate import better
from handbook.sweeps.ranges import Plan

if TYPE_CHECKING:
    import optuna


_NONE = object()
HEAD = """\
# What a sweep proposes; nothing reads this file. The scores are on rows held out of the training data:
# the test set was not looked at. To take it over: git apply {patch}, then dvc repro.
"""


def home(project: Project, name: str) -> Path:
    """The folder of a case's proposal."""
    return project.root / "reports" / "sweeps" / name


def propose(project: Project, case: Case, plan: Plan, study: optuna.Study, kind: str) -> str:
    """Write the proposal and its patch, if a trial beats today's settings; returns what to tell a person.

    `kind` says whether the data are real or a sample. A proposal that no longer holds is removed.
    """
    import optuna

    complete = study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,))
    today = {each.name: getattr(case.params, each.name) for each in plan.ranges}
    own = next(float(each.value or 0.0) for each in complete if plan.settings(each.params) == today)
    found = plan.settings(study.best_trial.params)
    primary, place = case.page.PRIMARY, home(project, case.name)
    proposal, patch = place / "proposal.yaml", place / "proposal.patch"
    if not better(case, study.best_value, own):
        proposal.unlink(missing_ok=True)
        patch.unlink(missing_ok=True)
        return (
            f"{case.name}: none of {len(complete)} judged trials beats params.yaml ({primary} {own:.4f}): no proposal"
        )
    change = {name: value for name, value in found.items() if value != today[name]}
    facts = {
        "case": case.name,
        "data": kind,
        "metric": primary,
        "today": {"score": round(own, 6), **_plain({name: today[name] for name in change})},
        "proposed": {"score": round(study.best_value, 6), **_plain(change)},
        "trials": {"judged": len(complete), "all": len(study.get_trials(deepcopy=False))},
    }
    lines = patched(project, case.name, _plain(change))
    where = patch.relative_to(project.root)
    with leftovers.removed(proposal):
        write_text(proposal, HEAD.format(patch=where) + yaml.safe_dump(facts, sort_keys=False))
    patch.unlink(missing_ok=True)
    summary = f"{case.name}: {primary} {own:.4f} -> {study.best_value:.4f} on held-out rows of {kind} data"
    if not lines:
        return f"{summary}. By hand, from {proposal.relative_to(project.root)}: {_plain(change)}"
    with leftovers.removed(patch):
        write_text(patch, lines)
    return f"{summary}. Proposed, not applied:\n\n{lines}\nTo take it over: git apply {where}"


def _plain(settings: dict[str, Any]) -> dict[str, Any]:
    return {key: list(value) if isinstance(value, tuple) else value for key, value in settings.items()}


def patched(project: Project, name: str, change: dict[str, Any]) -> str:
    """A unified diff of params.yaml with these values in the case's block, comments kept.

    A case that takes a value over from this one (`<<: *name`) keeps today's, in a line of its own. Empty where the
    values are not lines of a block, but stand in its `gpu:` part or are written over several lines.
    """
    path = project.root / "params.yaml"
    before = path.read_text()
    wanted = yaml.safe_load(before)
    wanted["cases"][name] |= change
    after, found = before, yaml.safe_load(before)
    try:
        for case, block in wanted["cases"].items():  # a base stands above those that take it over
            known = found["cases"][case]
            if other := {key: value for key, value in block.items() if known.get(key, _NONE) != value}:
                after = _changed(after, case, other)
                found = yaml.safe_load(after)
        if found != wanted or wanted.get("preset", "laptop") != "laptop":
            return ""
    except yaml.YAMLError:
        return ""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    return "".join(difflib.unified_diff(old, new, "a/params.yaml", "b/params.yaml"))


def _changed(text: str, name: str, change: dict[str, Any]) -> str:
    """The file with these values in a case's block: in their lines, or in new ones where the block has none."""
    lines = text.splitlines(keepends=True)
    start = next(at for at in range(lines.index("cases:\n"), len(lines)) if lines[at].startswith(f"  {name}:"))
    for key, value in change.items():
        written = yaml.safe_dump(value, default_flow_style=True).removesuffix("...\n").strip()
        at = start + 1
        while at < len(lines) and lines[at].startswith("    ") and not lines[at].startswith(f"    {key}:"):
            at += 1
        if at < len(lines) and lines[at].startswith(f"    {key}:"):
            comment = re.search(r"\s+#.*$", lines[at].rstrip("\n"))
            lines[at] = f"    {key}: {written}{comment[0] if comment else ''}\n"
        else:
            place = start + 1 + lines[start + 1].startswith("    <<:")
            lines.insert(place, f"    {key}: {written}\n")
    return "".join(lines)
