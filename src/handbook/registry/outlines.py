"""What a case page says of itself, without what it computes with: for verbs that only register a model.

Of the page only the docstring, `PRIMARY`, `LOWER_IS_BETTER` and the fields of `Params` are run, and what these name;
torch, and seconds, are left out. `Params` checks no values here: `train` and `evaluate`, which made the model, did.
"""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections.abc import Iterator
from types import ModuleType

from handbook import cases
from handbook.errors import unknown

WANTED = ("PRIMARY", "LOWER_IS_BETTER", "Params")


def page(name: str) -> ModuleType:
    """The outline of the page of that name; a HandbookError lists the pages there are."""
    if name not in cases.names():
        raise unknown("case page", name, cases.names())
    return outline(f"{cases.__name__}.{name}", WANTED)


def outline(name: str, wanted: tuple[str, ...]) -> ModuleType:
    """A module with what is wanted of the module `name`, and nothing else of it run."""
    spec = importlib.util.find_spec(name)
    assert spec is not None and spec.origin is not None, name
    with open(spec.origin, "rb") as stream:  # noqa: PTH123 (bytes, for the source's own encoding)
        tree = ast.parse(stream.read(), spec.origin)
    found = ModuleType(f"{__name__}.{name}", ast.get_docstring(tree, clean=False))
    found.__file__, found.__package__ = spec.origin, spec.parent
    sys.modules[found.__name__] = found  # where dataclasses and type hints look a class's module up
    parts = list(_needed(tree, set(wanted)))
    exec(compile(ast.Module(parts, []), spec.origin, "exec", dont_inherit=True), found.__dict__)  # noqa: S102 (ours)
    return found


def _needed(tree: ast.Module, wanted: set[str]) -> list[ast.stmt]:
    """The statements of a module that define what is wanted, and what those name, in their order; methods left out."""
    future = [each for each in tree.body if isinstance(each, ast.ImportFrom) and each.module == "__future__"]
    chosen: list[ast.stmt] = []
    for part in reversed(tree.body):
        if part not in future and (named := wanted & set(_defined(part))):
            small = _small(part, named)
            chosen.append(small)
            names = (each for each in ast.walk(small) if isinstance(each, ast.Name))
            wanted |= {each.id for each in names if isinstance(each.ctx, ast.Load)}  # fields' own names are stored
    return future + chosen[::-1]


def _defined(part: ast.stmt) -> Iterator[str]:
    """The names that a statement gives a meaning to."""
    if isinstance(part, ast.ClassDef | ast.FunctionDef):
        yield part.name
    elif isinstance(part, ast.Import | ast.ImportFrom):
        yield from ((each.asname or each.name).partition(".")[0] for each in part.names)
    elif isinstance(part, ast.Assign | ast.AnnAssign):
        targets = part.targets if isinstance(part, ast.Assign) else [part.target]
        yield from (each.id for target in targets for each in ast.walk(target) if isinstance(each, ast.Name))


def _small(part: ast.stmt, named: set[str]) -> ast.stmt:
    """The statement, cut down to what is named: an import of these names, a class without its methods."""
    if isinstance(part, ast.ImportFrom):
        part.names = [each for each in part.names if (each.asname or each.name) in named]
    if isinstance(part, ast.ClassDef):
        part.body = [each for each in part.body if not isinstance(each, ast.FunctionDef)]
    return part
