"""What a result is made of: the definitions that a verb of a page reaches, and a hash of each.

A file is too coarse a unit: a page trains, judges and draws, and a better drawing must not train a network again. So
what is followed are top-level definitions, from the functions that a verb calls (`fit` for `train`, `evaluate` for
`evaluate`) through every name that they mention, in this package. The source is read, not imported: nothing runs.

A definition counts by its syntax tree without docstrings and the annotations of functions: comments, layout and words
change nothing. Left out is what can end or place a result but not change it (`APART`), and the libraries, which
`uv.lock` pins. More is reached than runs, since a name counts whether or not its line does; a test traces every case.
What no name mentions (`getattr` by a computed name) is not seen: pages are found that way, so who asks names them.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from handbook.errors import HandbookError

PACKAGE = "handbook"
# Where files lie, who is notified, and what is said when something is wrong; that the bytes are the pinned ones.
APART = (
    "errors", "project", "parameters", "registry", "startup", "sources", "steps.sources",
    "data.provenance", "data.fetch",
)  # fmt: skip

IRRELEVANT = ("ctx", "type_comment", "type_params", "kind", "returns")  # or in the trees of some Pythons only

Name = tuple[str, str]  # of a module, and of a definition in it
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass
class Module:
    """A module's source, read when it is first asked for."""

    name: str
    path: Path

    @cached_property
    def tree(self) -> ast.Module:
        try:
            return ast.parse(self.path.read_bytes(), str(self.path))
        except SyntaxError as error:
            raise HandbookError(f"{self.path}, line {error.lineno}: {error.msg}") from None

    @cached_property
    def definitions(self) -> dict[str, list[ast.stmt]]:
        """The top-level statements that give each name its meaning."""
        found: dict[str, list[ast.stmt]] = {}
        for statement in _executed(self.tree.body):
            for name in _defined(statement):
                found.setdefault(name, []).append(statement)
        return found


def _executed(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Top-level statements but those for type checkers."""
    for statement in body:
        if isinstance(statement, ast.If) and ast.unparse(statement.test) == "TYPE_CHECKING":
            yield from _executed(statement.orelse)
        else:
            yield statement


def _defined(statement: ast.stmt) -> set[str]:
    """The names that a statement gives a meaning to, imports left out."""
    if isinstance(statement, Function | ast.ClassDef):
        return {statement.name}
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return set()
    stored = (each for each in ast.walk(statement) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store))
    return {each.id for each in stored}


class Package:
    """All modules below a folder, as source."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.modules: dict[str, Module] = {}
        for path in folder.rglob("*.py"):
            parts = path.relative_to(folder).with_suffix("").parts
            name = ".".join((PACKAGE, *(parts[:-1] if parts[-1] == "__init__" else parts)))
            self.modules[name] = Module(name, path)
        self._imported: dict[str, dict[str, Name | str]] = {}
        self._mentioned: dict[Name, set[Name]] = {}
        self._hashes: dict[Name, str] = {}

    def closure(self, roots: Iterable[Name]) -> set[Name]:
        """All definitions that the roots reach, themselves included."""
        reached: set[Name] = set()
        waiting = [each for root in roots for each in self.resolved(*root)]
        while waiting:
            name = waiting.pop()
            if name not in reached and not self._apart(name[0]):
                reached.add(name)
                waiting.extend(self.mentioned(name) - reached)
        return reached

    def mentioned(self, name: Name) -> set[Name]:
        """The definitions that a definition mentions."""
        if name not in self._mentioned:
            module = self.modules[name[0]]
            found = (_References(self, module).of(each) for each in module.definitions[name[1]])
            self._mentioned[name] = set().union(*found)
        return self._mentioned[name]

    def hash(self, name: Name) -> str:
        """Of a definition's syntax tree: 16 hexadecimal digits."""
        if name not in self._hashes:
            statements = self.modules[name[0]].definitions[name[1]]
            text = "\n".join(_written(each) for each in statements)
            self._hashes[name] = hashlib.sha256(text.encode()).hexdigest()[:16]
        return self._hashes[name]

    def whole(self, module: str) -> set[Name]:
        """All definitions of a module, and of those inside it if it is a folder."""
        inside = (each for each in self.modules.values() if each.name == module or each.name.startswith(f"{module}."))
        return {(each.name, name) for each in inside for name in each.definitions}

    def resolved(self, module: str, name: str) -> set[Name]:
        """The definition behind a module's name, through whatever imports it passes on; none for one of a library."""
        if module not in self.modules:
            return set()
        if name in self.modules[module].definitions:
            return {(module, name)}
        if f"{module}.{name}" in self.modules:
            return self.whole(f"{module}.{name}")
        target = self.imported(self.modules[module]).get(name)
        if target is None:
            return set()
        return self.whole(target) if isinstance(target, str) else self.resolved(*target)

    def imported(self, module: Module) -> dict[str, Name | str]:
        """What a module imports of this package at its top level, by the name that it has there."""
        if module.name not in self._imported:
            self._imported[module.name] = self.bound(_executed(module.tree.body))
        return self._imported[module.name]

    def bound(self, statements: Iterable[ast.AST]) -> dict[str, Name | str]:
        """What imports among the statements bind, of this package: a module by its name, or a definition."""
        found: dict[str, Name | str] = {}
        for each in statements:
            if isinstance(each, ast.ImportFrom) and (each.module or "").split(".")[0] == PACKAGE:
                for alias in each.names:
                    inner = f"{each.module}.{alias.name}"
                    target = inner if inner in self.modules else (str(each.module), alias.name)
                    found[alias.asname or alias.name] = target
        return found

    def _apart(self, module: str) -> bool:
        inside = module.removeprefix(f"{PACKAGE}.")
        return any(inside == each or inside.startswith(f"{each}.") for each in APART)


class _References(ast.NodeVisitor):
    """The definitions that a statement of a module mentions."""

    def __init__(self, package: Package, module: Module) -> None:
        self.package, self.module = package, module
        self.found: set[Name] = set()
        self.known: dict[str, Name | str] = {}

    def of(self, statement: ast.stmt) -> set[Name]:
        self.known = self.package.imported(self.module) | self.package.bound(ast.walk(statement))
        self.visit(statement)
        return self.found

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self._add(self._target(node))

    def visit_Attribute(self, node: ast.Attribute) -> None:
        target = self._target(node)
        if target is None:
            self.generic_visit(node)
        else:
            self._add(target)

    def visit_Constant(self, node: ast.Constant) -> None:
        """A definition's full name as text: so a page says which classes a saved estimator may hold."""
        if isinstance(node.value, str) and node.value.startswith(f"{PACKAGE}."):
            module, _, name = node.value.rpartition(".")
            self._add((module, name))

    def visit_FunctionDef(self, node: Function) -> None:
        """Its annotations are for readers and type checkers, and mention what need not run."""
        for each in (*node.decorator_list, *node.args.defaults, *node.args.kw_defaults, *node.body):
            if each is not None:
                self.visit(each)

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815 (the visitor's own way of naming)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        """Of a class's fields alone the types may matter, and they come with the class's own hash."""
        if node.value is not None:
            self.visit(node.value)
        self.visit(node.target)

    def _target(self, node: ast.expr) -> Name | str | None:
        """What a name, or a name with attributes, stands for in this package: a module, a definition, or nothing."""
        if isinstance(node, ast.Name):
            if node.id in self.known:
                return self.known[node.id]
            return (self.module.name, node.id) if node.id in self.module.definitions else None
        if not isinstance(node, ast.Attribute):
            return None
        base = self._target(node.value)
        if not isinstance(base, str):  # an attribute of a definition is the definition's
            return base
        inner = f"{base}.{node.attr}"
        return inner if inner in self.package.modules else (base, node.attr)

    def _add(self, target: Name | str | None) -> None:
        if isinstance(target, str):
            self.found |= self.package.whole(target)
        elif target is not None:
            self.found |= self.package.resolved(*target)


def _written(node: ast.AST) -> str:
    """A syntax tree as text that is the same for every Python: kinds and values, no places, docstrings, annotations."""
    parts = []
    for name, value in ast.iter_fields(node):
        if name in IRRELEVANT or value is None or value == [] or (name == "annotation" and isinstance(node, ast.arg)):
            continue
        if name == "body" and isinstance(node, Function | ast.ClassDef):
            parts.append(f"body={_value(_without_docstring(value))}")
        elif isinstance(node, ast.JoinedStr):  # some Pythons end a nested one with an empty text
            parts.append(_value([each for each in value if not (isinstance(each, ast.Constant) and each.value == "")]))
        else:
            parts.append(f"{name}={_value(value)}")
    return f"{type(node).__name__}({', '.join(parts)})"


def _value(value: object) -> str:
    if isinstance(value, ast.AST):
        return _written(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    return repr(value)


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    first = body[0] if body else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        return body[1:]
    return body
