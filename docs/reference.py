"""The reference: a page a room of the package, and a page each for what people write pages of: cases, datasets, labs.

What stands on them comes from the docstrings; mkdocstrings reads the source and imports nothing.
"""

from __future__ import annotations

import ast
from pathlib import Path

PAGES = ("cases", "datasets", "labs")  # rooms whose modules are pages of their own
INDEX = """# Reference

What the package says of itself, from its docstrings, with its source. To understand a model, open its page under
Cases: all of it stands there.

| room | what it holds |
|---|---|
"""


def pages(package: Path) -> dict[str, str]:
    """Each page of the reference as Markdown, by its path below `reference/`."""
    found, rows = {}, []
    for room in sorted(each for each in package.iterdir() if (each / "__init__.py").exists()):
        at = f"{room.name}/index.md" if room.name in PAGES else f"{room.name}.md"
        rows.append(f"| [`{room.name}`]({at}) | {_first(room / '__init__.py')} |")
        if room.name in PAGES:
            parts = [each for each in sorted(room.iterdir()) if _is_page(each)]
            found |= {f"{room.name}/{each.stem}.md": _listing(package, each) for each in parts}
            lines = [f"| [`{each.stem}`]({each.stem}.md) | {_first(_source(each))} |" for each in parts]
            head = f"# {room.name.capitalize()}\n\n{_first(room / '__init__.py')}\n\n| page | what it is |\n|---|---|\n"
            found[at] = head + "\n".join(lines) + "\n"
        else:
            found[at] = _page(package, _modules(room), title=room.name)
    alone = [each for each in sorted(package.glob("*.py")) if each.stem != "__init__"]
    rows += [f"| [`{each.stem}`]({each.stem.strip('_')}.md) | {_first(each)} |" for each in alone]
    found |= {f"{each.stem.strip('_')}.md": _page(package, [each]) for each in alone}
    found["index.md"] = INDEX + "\n".join(rows) + "\n"
    return found


def _is_page(path: Path) -> bool:
    return (path.suffix == ".py" and path.stem != "__init__") or (path / "__init__.py").exists()


def _source(page: Path) -> Path:
    return page / "__init__.py" if page.is_dir() else page


def _modules(place: Path) -> list[Path]:
    """A module, or those of a folder, its own first."""
    return [place] if place.is_file() else sorted(place.rglob("*.py"))


def _listing(package: Path, page: Path) -> str:
    """A case, dataset or lab as it is to be read: its docstring, then the rest of its source from top to bottom."""
    text = [f"# {_name(package, _source(page)).removeprefix('handbook.')}\n"]
    for module in _modules(page):
        source = module.read_text(encoding="utf-8")
        tree, path = ast.parse(source), module.relative_to(package.parent).as_posix()
        said, start = ast.get_docstring(tree) or "", 0
        if said:
            start = (tree.body[0].end_lineno or 0) + 1  # and the empty line behind it
        code = "\n".join(source.splitlines()[start:])
        text.append(f"## `{path}`\n\n{said}\n\n~~~~ {{ .python linenums='{start + 1}' }}\n{code}\n~~~~\n")
    return "\n".join(text)


def _page(package: Path, modules: list[Path], title: str = "") -> str:
    """A page that shows these modules, each under its name."""
    names = [_name(package, each) for each in modules if each.stem != "__init__" or _first(each)]
    head = f"# {title or names[0].removeprefix('handbook.')}\n\n"
    return head + "\n".join(f"::: {name}\n" for name in names)


def _name(package: Path, module: Path) -> str:
    parts = module.relative_to(package.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _first(module: Path) -> str:
    """The first paragraph of a module's docstring, on one line, fit for a table."""
    text = ast.get_docstring(ast.parse(module.read_text(encoding="utf-8"))) or ""
    return " ".join(text.split("\n\n")[0].split()).replace("|", "\\|")
