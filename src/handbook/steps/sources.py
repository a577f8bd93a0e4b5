"""What each verb of each page is made of, as files that DVC can watch: `sources/VERB/NAME.txt`.

A line for each definition that can change the result, and for each parameter in effect. So an edit runs again what it
can change and nothing else, and a look at git's or DVC's difference of such a file says why a stage ran.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import handbook
from handbook.errors import HandbookError
from handbook.files.formats import write_text
from handbook.project import COMMON, Project
from handbook.sources import Module, Name, Package

HEAD = "# What {verb} {name} is made of: definitions and parameters. Made by `handbook sources`.\n"
# What the verbs call of a page, by name alone.
OF_A_CASE = {
    "train": ("split", "fit", "Params"),
    "evaluate": ("split", "evaluate", "example", "predict", "Model", "Params", "TRUSTED", "PRIMARY"),
}
OF_A_JUDGE = ("features", "probabilities", "Model", "Params", "TRUSTED")


def sources(project: Project) -> None:
    """Write what every stage is made of; a file that would not change is left, one of what is gone is removed."""
    wanted = {
        project.sources / verb / f"{name}.txt": text
        for verb, names in stages(project).items()
        for name in names
        if (text := fingerprint(project, verb, name))
    }
    for path in project.sources.rglob("*.txt"):
        if path not in wanted:
            path.unlink()
    for path, text in wanted.items():
        if not path.exists() or path.read_text() != text:
            write_text(path, text)
    print(f"sources/ says of {len(wanted)} stages what they are made of")


def stages(project: Project) -> dict[str, list[str]]:
    """The names that each verb has a fingerprint for."""
    cases = project.cases()
    return {
        "validate": project.datasets(),
        "train": cases,
        "evaluate": cases,
        "lab": project.labs(),
        "report": ["report"],
    }


def fingerprint(project: Project, verb: str, name: str, parameters: bool = True) -> str:
    """What a verb of that name is made of: a line for each definition with its hash, and for each parameter."""
    package = _package()
    reached = package.closure(_roots(project, verb, name))
    lines = [f"{module}.{definition} {package.hash((module, definition))}" for module, definition in reached]
    lines += _parameters(project, verb, name) if parameters and verb in OF_A_CASE else []
    lines += _documents(project) if verb == "report" else []
    return HEAD.format(verb=verb, name=name) + "\n".join(sorted(lines)) + "\n"


@cache
def _package() -> Package:
    return Package(Path(handbook.__file__).parent)


def _roots(project: Project, verb: str, name: str) -> Iterator[Name]:
    """What is called by name: the verb itself, and of the pages what `OF_A_CASE` and the like say."""
    yield f"handbook.steps.{verb}", "fit" if verb == "train" else verb
    yield "handbook.steps.given", "data_of"
    yield "handbook.cases", "page"
    if verb in OF_A_CASE:
        block = project.block(name)
        yield from ((f"handbook.cases.{block['page']}", each) for each in OF_A_CASE[verb])
        yield from _reader(block["dataset"], "load")
        if verb == "evaluate" and (judge := project.judge(name)):
            yield from ((f"handbook.cases.{project.block(judge)['page']}", each) for each in OF_A_JUDGE)
    elif verb == "validate":
        yield from _reader(name, "facts", "expectations", "FILES")
    elif verb == "lab":
        lab = f"handbook.labs.{name}"
        yield from _package().whole(lab)
        for dataset in _datasets_of(_package().modules.get(lab)):
            # which data it shows: the pinned ones, or those drawn in their place. No lab waits for a gate that half of
            # them have no data behind; the bytes are checked when they are read
            yield from _reader(dataset, "load", "FILES", "sample")


def _reader(dataset: str, *names: str) -> Iterator[Name]:
    yield from ((f"handbook.datasets.{dataset}", each) for each in names)


def _datasets_of(lab: Module | None) -> tuple[str, ...]:
    """The datasets that a lab names, `DATASET = "mnist"` or `("fashion_mnist", "mnist")`, if it shows any."""
    if lab is None:
        return ()
    for statement in lab.definitions.get("DATASET", []):
        named = statement.value if isinstance(statement, ast.Assign | ast.AnnAssign) else None
        parts = named.elts if isinstance(named, ast.Tuple) else [named]
        names = tuple(each.value for each in parts if isinstance(each, ast.Constant) and isinstance(each.value, str))
        if len(names) < len(parts):
            raise HandbookError(
                f"{lab.path}, line {statement.lineno}: expected DATASET to be a name in quotes, or a tuple of such "
                f"names, found {ast.unparse(statement)!r}. Write the names out: the source is read, not run"
            )
        return names
    return ()


def _parameters(project: Project, verb: str, name: str) -> Iterator[str]:
    """A case's own parameters, the preset's laid over them; of what is not its page's, what evaluation shows."""
    block = project.block(name)
    kept = {key: value for key, value in block.items() if key not in COMMON or (verb, key) == ("evaluate", "book")}
    yield from (f"{key} = {json.dumps(value, sort_keys=True)}" for key, value in kept.items())


def _documents(project: Project) -> Iterator[str]:
    """The words of all pages, which the report shows, its own layout, and what others have published."""
    package = _package()
    pages = {f"handbook.cases.{project.block(name)['page']}" for name in project.cases()}
    pages |= {f"handbook.datasets.{name}" for name in project.datasets()}
    pages |= {f"handbook.labs.{name}" for name in project.labs()}
    for page in pages & set(package.modules):  # the others are refused by the verbs that run them
        yield f"{page} {_digest((ast.get_docstring(package.modules[page].tree) or '').encode())}"
    for path in (each for kind in ("*.j2", "*.yaml") for each in Path(__file__).with_name("report").glob(kind)):
        yield f"{path.name} {_digest(path.read_bytes())}"


def digest(what: Any) -> str:
    """A short name for plain types, the same for equal ones."""
    return _digest(json.dumps(what, sort_keys=True).encode())


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
