"""The report: every case beside the book, as one page that needs nothing but itself; and the README's table."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

from handbook import claims, contract, datasets, labs
from handbook.claims.claim import JUDGEMENTS
from handbook.errors import HandbookError
from handbook.files import documents
from handbook.files.formats import write_text
from handbook.project import RECIPE, Case, Project, plain
from handbook.registry import results as read
from handbook.registry import trained

START, END = "<!-- results: made by `make report`, from reports/*/metrics.json -->", "<!-- end of results -->"
# What `preset: book` has more of, and its word; batches in an epoch are left out, since the data may fill fewer.
OF_THE_WHOLE = {"window_share": "windows", "epochs": "epochs", "width": "width", "batch_size": "batch"}
PERCENT = ("accuracy", "f1", "precision", "recall", "specificity")


def metrics(project: Project, name: str) -> dict[str, Any]:
    """The numbers of a case, as its evaluation left them."""
    return read.metrics(project, project.case(name))


def all_real(project: Project) -> bool:
    """Whether no case was made from sample data."""
    return all(metrics(project, name)["data"] == "real" for name in project.cases())


def shown(name: str, value: float | None) -> str:
    """A number as its field writes it: shares in per cent, the rest as they are."""
    if value is None:
        return "–"
    return f"{100 * value:.2f} %" if name in PERCENT else f"{value:.3f}" if abs(value) < 1000 else f"{value:,.0f}"


def data_of(numbers: dict[str, Any], dataset: str) -> str:
    """The dataset that figures were made from: whether a sample, or which form, where it is published in several."""
    form = "sample" if numbers["data"] != "real" else numbers.get("form")
    return f"{dataset} ({form})" if form else dataset


def row(project: Project, name: str) -> dict[str, str]:
    """A case's line in the tables: its primary metric with interval, the book's and the baseline's."""
    case, numbers = project.case(name), metrics(project, name)
    primary = case.page.PRIMARY
    low, high = numbers["interval"][primary]
    training = project.reports(name) / "training.json"
    seconds = trained.facts(project, name)["seconds"] if training.exists() else None
    return {
        "case": name,
        "shortened": shortened(project, name),
        "seconds": "–" if seconds is None else f"{seconds:.1f}",
        "dataset": data_of(numbers, case.dataset),
        "metric": f"{primary} ↓" if contract.case(case.page).lower_is_better else primary,
        "ours": shown(primary, numbers[primary]),
        "interval": f"{shown(primary, low)} – {shown(primary, high)}",
        "seeds": over_seeds(read.seeds(project, case), primary),
        "book": shown(primary, numbers["book"].get(primary)),
        "baseline": shown(primary, numbers["baseline"][primary]),
    }


def over_seeds(spread: dict[str, Any] | None, metric: str) -> str:
    """Mean and standard deviation of a figure over the seeds that a case was trained by, and their number."""
    if spread is None:
        return "–"
    mean, deviation = spread["mean"][metric], spread["deviation"][metric]
    width = f"{100 * deviation:.2f} %" if metric in PERCENT else f"{deviation:.2g}"
    return f"{shown(metric, mean)} ± {width} ({len(spread['seeds'])})"


def printed(project: Project, name: str) -> list[dict[str, str]]:
    """What the book prints of a case by other metrics than its primary one, each beside ours: like with like."""
    case, numbers = project.case(name), metrics(project, name)
    lines = []
    for metric, value in numbers["book"].items():
        if metric != case.page.PRIMARY and metric in numbers:
            bounds = numbers["interval"].get(metric)
            lines.append(
                {
                    "metric": metric,
                    "ours": shown(metric, numbers[metric]),
                    "interval": " – ".join(shown(metric, bound) for bound in bounds) if bounds else "–",
                    "book": shown(metric, value),
                    "baseline": shown(metric, numbers["baseline"].get(metric)),
                }
            )
    return lines


def shortened(project: Project, name: str) -> str:
    """By how much a recipe of the book is shortened here, against `preset: book`; empty for what is not."""
    if not name.endswith(RECIPE):
        return ""
    block, full = project.block(name), project.block(name, "book")
    same_steps = "steps" in full and block["steps"] == full["steps"]
    words = {**OF_THE_WHOLE, "epochs": "steps" if same_steps else "epochs"}
    less = {word: block[key] / full[key] for key, word in words.items() if key in full and block[key] != full[key]}
    return ", ".join(f"{100 * share:.3g} % of its {word}" for word, share in less.items())


def results(project: Project) -> str:
    """The README's table, from the metrics alone."""
    lines = [
        "| case | data | metric | here | 95 % interval | mean ± deviation (seeds) | the book | trivial baseline |",
        "|---|---|---|---:|---:|---:|---:|---:|",
    ]
    for name in project.cases():
        line = row(project, name)
        less = f"; {line['shortened']}" if line["shortened"] else ""
        lines.append(
            f"| [`{name}`]({source(project.case(name))}){less} | {line['dataset']} | {line['metric']} |"
            f" **{line['ours']}** | {line['interval']} | {line['seeds']} | {line['book']} | {line['baseline']} |"
        )
        lines += [
            f"| | | {each['metric']} | {each['ours']} | {each['interval']} | | {each['book']} | {each['baseline']} |"
            for each in printed(project, name)
        ]
    return "\n".join(lines)


def source(case: Case) -> str:
    """Where a case's page stands in the checkout: a file, or the folder that it has grown into."""
    file = Path(str(case.page.__file__))
    name = f"{file.parent.name}/" if file.stem == "__init__" else file.name
    return f"src/handbook/cases/{name}"


def with_results(readme: str, table: str) -> str:
    """The README with this table between its marks."""
    before, mark, rest = readme.partition(START)
    _, end, after = rest.partition(END)
    if not mark or not end:
        raise HandbookError(f"README.md lacks the marks of its table, which goes between\n  {START}\n  {END}")
    return f"{before}{START}\n{table}\n{END}{after}"


def build(project: Project) -> str:
    """The whole report as HTML, figures included."""
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    environment = Environment(
        loader=PackageLoader("handbook.steps", ""),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
    )
    return environment.get_template("report.html.j2").render(
        rows=[row(project, name) | {"printed": printed(project, name)} for name in project.cases()],
        cases=[_section(project, project.case(name)) for name in project.cases()],
        labs=[_lab(project, name) for name in project.labs()],
        datasets=[_dataset(project, name) for name in project.datasets()],
        chapters=[_chapter(project, chapter) for chapter in claims.LEDGER],
        judgements=JUDGEMENTS,
        sample=not all_real(project),
    )


def _section(project: Project, case: Case) -> dict[str, Any]:
    numbers, folder = metrics(project, case.name), project.reports(case.name)
    title, *text = (case.page.__doc__ or "").strip().split("\n\n")
    return {
        "name": case.name,
        "source": source(case),
        "title": title,
        "text": [_with_code(paragraph) for paragraph in text],
        "numbers": _numbers(numbers),
        "finding": numbers.get("finding", ""),
        "shortened": shortened(project, case.name),
        "form": _form_note(case.dataset, numbers.get("form", "")),
        "per_class": numbers.get("per_class", {}),
        "algorithms": _algorithms(numbers),
        "params": plain(case.params),
        "training": trained.facts(project, case.name),
        "figures": [_figure(path) for path in sorted((folder / "figures").glob("*.png"))],
        "sample": numbers["data"] != "real",
    }


def _form_note(dataset: str, form: str) -> str:
    """What its dataset's page says of that form of the data, if it publishes several."""
    notes = contract.dataset(datasets.page(dataset)).notes
    return notes.get(form, "")


def _lab(project: Project, name: str) -> dict[str, Any]:
    """A worked chapter: what its page says, what it measured, and its pictures, those that move included."""
    home, checks = project.reports("labs") / name, read.checks(project, name)
    title, *text = (labs.page(name).__doc__ or "").strip().split("\n\n")
    return {
        "name": name,
        "title": title,
        "text": [_with_code(paragraph) for paragraph in text],
        "sample": checks.pop("data", "real") != "real",
        "checks": {key: _fact(value) for key, value in checks.items()},
        "figures": [_figure(path) for path in sorted((home / "figures").iterdir())],
    }


def _chapter(project: Project, chapter: int) -> dict[str, Any]:
    """What the book prints in a chapter, beside what comes out here."""
    folder = project.root / "reports"
    rows = ((row, row.shown(folder)) for row in claims.LEDGER[chapter])
    return {
        "number": chapter,
        "counted": claims.counted(chapter),
        "claims": [(row.section, row.what, row.printed, ours, row.verdict, row.reason) for row, ours in rows],
    }


def _fact(value: float | bool) -> str:
    """A measured fact as it is read: yes or no, or up to six digits."""
    return ("no", "yes")[value] if isinstance(value, bool) else f"{value:.6g}"


def _with_code(paragraph: str) -> Any:
    """A docstring's paragraph for HTML, its backticks as code."""
    from markupsafe import Markup, escape

    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(paragraph))))  # noqa: S704 (escaped before)


def _numbers(numbers: dict[str, Any]) -> list[dict[str, str]]:
    """Every single figure of a case, beside its interval, the book's and the baseline's."""
    table = []
    for name, value in numbers.items():
        if isinstance(value, float):
            bounds = numbers["interval"].get(name)
            table.append(
                {
                    "name": name.replace("_", " "),
                    "ours": shown(name, value),
                    "interval": " – ".join(shown(name, bound) for bound in bounds) if bounds else "–",
                    "book": shown(name, numbers["book"].get(name)),
                    "baseline": shown(name, numbers["baseline"].get(name)),
                }
            )
    return table


def _algorithms(numbers: dict[str, Any]) -> list[dict[str, str]]:
    """A line for each algorithm that a page compares, with all its figures but intervals and settings."""
    return [
        {"algorithm": name.replace("_", " ")}
        | {key.replace("_", " "): shown(key, value) for key, value in figures.items() if not isinstance(value, dict)}
        for name, figures in numbers.get("algorithms", {}).items()
    ]


def _figure(path: Path) -> dict[str, str]:
    picture = base64.b64encode(path.read_bytes()).decode()
    return {"name": path.stem.replace("_", " "), "source": f"data:image/{path.suffix[1:]};base64,{picture}"}


def _dataset(project: Project, name: str) -> dict[str, Any]:
    page = datasets.page(name)
    outcome = read.validation(project, name) or {"data": "not validated", "rows": 0, "expectations": []}
    return {
        "name": name,
        "title": (page.__doc__ or "").strip().split("\n\n")[0],
        "source": page.SOURCE,
        "licence": page.LICENCE,
        "kind": outcome["data"],
        "rows": f"{outcome['rows']:,}",
        "expectations": len(outcome["expectations"]),
    }


def report(project: Project) -> None:
    """Build reports/index.html, and the README's table if everything is real."""
    for name in project.cases():
        trained.facts(project, name, trained.SHOWN)  # before anything is built of them
    write_text(project.root / "reports" / "index.html", build(project))
    print(f"reports/index.html shows {len(project.cases())} cases and {len(project.labs())} labs")
    if all_real(project):
        readme = project.root / "README.md"
        text = documents.text(readme, "Bring it back: git checkout -- README.md")
        write_text(readme, with_results(text, results(project)))
    else:
        print("README.md is left as it is: its table holds results from real data only")
