"""python -m handbook VERB NAME: what DVC's stages, the flows and people type."""

from __future__ import annotations

import argparse
import os
import sys

from handbook.errors import HandbookError

VERBS = {
    "data": "put the datasets in place: already there, a mirror, upstream; or samples",
    "validate": "check a dataset's bytes and facts; a failure stops what follows",
    "train": "train a case; resumes where it was cut off",
    "evaluate": "judge a trained case on its test data",
    "register": "bring a judged case into the MLflow registry and move its aliases",
    "lab": "work a chapter through: its figures and its measured facts",
    "sweep": "try a case's ranges of params.yaml, and propose the best; goes on where it was cut off",
    "report": "build reports/index.html and the README's table",
    "check": "refuse what must not be committed: results made from samples",
}


def parser() -> argparse.ArgumentParser:
    """The command line, a verb a step."""
    top = argparse.ArgumentParser(prog="handbook", description="The handbook's models, step by step.")
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb, text in VERBS.items():
        sub = verbs.add_parser(verb, help=text, description=text)
        if verb == "data":
            sub.add_argument("names", nargs="*", metavar="DATASET", help="default: all in params.yaml")
            sub.add_argument("--source", choices=("auto", "mirror", "upstream", "sample"), default="auto")
            sub.add_argument("--or-sample", action="store_true", help="make samples of what cannot be reached")
        elif verb == "validate":
            sub.add_argument("name", metavar="DATASET")
        elif verb in ("train", "evaluate", "register"):
            sub.add_argument("name", metavar="CASE")
        elif verb == "sweep":
            sub.add_argument("name", metavar="CASE")
            sub.add_argument("--trials", type=int, metavar="N", help="finished trials in all; default: params.yaml's")
        elif verb == "lab":
            sub.add_argument("name", metavar="LAB")
    return top


def run(arguments: argparse.Namespace) -> None:
    """Do what the command line says."""
    from handbook import datasets, steps
    from handbook.project import Project

    project = Project.here()
    os.chdir(project.root)
    match arguments.verb:
        case "data":
            for name in arguments.names:
                steps.known("dataset", name, datasets.names())
            steps.data(project, arguments.names, arguments.source, arguments.or_sample)
        case "validate":
            steps.validate(project, steps.known("dataset", arguments.name, datasets.names()))
        case "sweep":
            from handbook import sweeps

            sweeps.sweep(project, arguments.name, arguments.trials)
        case "report" | "check" as verb:
            getattr(steps, verb)(project)
        case verb:
            getattr(steps, verb)(project, arguments.name)


def main() -> int:
    """The exit code: 0 done, 1 an error that is told, 2 a wrong command line, 130 interrupted."""
    try:
        run(parser().parse_args())
    except HandbookError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; run again to go on", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
