"""The report: every case beside the book, as one page that needs nothing but itself; and the README's tables."""

from __future__ import annotations

from handbook.files import documents
from handbook.files.formats import write_text
from handbook.project import Project
from handbook.registry import trained
from handbook.steps.report import differences, page, readme
from handbook.steps.report.table import all_real


def report(project: Project) -> None:
    """Build reports/index.html, and the README's tables if everything is real."""
    for name in project.cases():
        trained.facts(project, name, trained.SHOWN)  # before anything is built of them
    now = differences.today(project)
    earlier = differences.before(project, now)
    write_text(project.root / "reports" / "index.html", page.build(project, differences.changes(project, now, earlier)))
    differences.write(project, now, earlier)  # after the page: a build cut off between them compares again
    print(f"reports/index.html shows {len(project.cases())} cases and {len(project.labs())} labs")
    if all_real(project):
        file = project.root / "README.md"
        text = documents.text(file, "Bring it back: git checkout -- README.md")
        write_text(file, readme.with_results(text, readme.results(project)))
    else:
        print("README.md is left as it is: its tables hold results from real data only")
