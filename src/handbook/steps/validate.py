"""The gate: Great Expectations over a dataset."""

from __future__ import annotations

from handbook import datasets
from handbook.data import provenance
from handbook.files.formats import write_json
from handbook.project import Project


def validate(project: Project, name: str) -> None:
    """The gate: the bytes are the pinned ones, and the facts of the data are as the page expects."""
    page = datasets.page(name)
    origin = provenance.verify(page, project.data(name))
    sample = origin["kind"] == "sample"
    from handbook.data import validation

    validation.load()
    table = page.facts(project.data(name))
    findings = validation.check(f"{name}_sample" if sample else name, table, page.expectations(sample), project.gx)
    validation.refuse(name, findings, validation.data_docs(project.gx) / "index.html")
    write_json(
        project.reports(name) / "validation.json",
        {
            "data": origin["kind"],
            "dataset": name,
            "files": {file: facts["sha256"] for file, facts in origin["files"].items()},
            "rows": len(table),
            "expectations": [finding.meaning for finding in findings],
            "success": True,
        },
    )
    print(f"{name} ({origin['kind']}): all {len(findings)} expectations are met by {len(table):,} rows")
