"""python -m handbook VERB NAME: what DVC's stages, the flows and people type."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from handbook.errors import HandbookError, sentence
from handbook.files import leftovers
from handbook.serving import commands
from handbook.startup import encoding, endings, glyphs, imports, memory
from handbook.startup.cores import granted_threads

if TYPE_CHECKING:
    from handbook.project import Project

VERBS = {
    "data": "put the datasets in place: already there, a mirror, upstream; or samples, in .sample/",
    "where": "print the checkout that is built and looked at: this one, or that for samples",
    "sources": "write down what each stage is made of, for DVC to watch",
    "validate": "check a dataset's bytes and facts; a failure stops what follows",
    "train": "train a case; resumes where it was cut off",
    "evaluate": "judge a trained case on its test data",
    "register": "bring judged cases into the MLflow registry and move their aliases",
    "lab": "work a chapter through: its figures and its measured facts",
    "repeat": "train and judge a case by other seeds; goes on where it was cut off",
    "sweep": "try a case's ranges of params.yaml, and propose the best; goes on where it was cut off",
    "report": "build reports/index.html and the README's table",
    "status": "what is built, what is stale, what is not there yet, and what to type",
    "claims": "what the book prints, beside what comes out here; of a section, with reasons",
    "monitor": "judge the batches that have come in: expectations, drift, the champion's score",
    "retrain": "train a challenger with the batches that have come in; the gate decides",
    "check": "refuse what must not be committed: results made from samples",
    "predict": "ask a case's champion: pictures, rows of a CSV, a prompt, or seeds",
    "export": "a case's champion as an ONNX file, which answers without Python",
    "serve": "a case's champion over HTTP, until Ctrl-C",
    "shadow": "where a challenger that ran in the champion's shadow answered otherwise",
    "demo": "a page in the browser to try the champions by hand, until Ctrl-C",
    "rollback": "the champion before becomes champion again; today's is rejected",
    "promote": "make a version champion, whatever the gate says",
    "lineage": "where a registered model comes from",
    "verify": "hash everything again, and say what no longer matches",
}

# A stage works on one thread: two beside each other end sooner than two one after the other on two threads each, and
# no last digit depends on the number of cores. Read when numpy and torch are loaded, so set before they are.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
ALL_THREADS = ("predict", "demo")  # somebody waits for the answer; in `serve` other cores read requests
STEPWISE = ("train", "evaluate", "lab", "repeat", "sweep", "retrain")  # step by step, each in as much memory

# What stands before every `dvc repro`, at its start and before a commit: there DVC's cache is looked at.
WATCHFUL = ("data", "validate", "check")
RENAMED = {  # verbs of before, by what to type today
    "generate": 'handbook predict CASE "the text to go on from" --length 400 (and --temperature, --from FOLDER)',
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
            sub.add_argument(
                "--or-sample", action="store_true", help="if any cannot be fetched, draw samples of all, in .sample/"
            )
        elif verb in ("validate", "lab"):
            sub.add_argument("name", metavar="DATASET" if verb == "validate" else "LAB")
        elif verb in ("train", "evaluate"):
            sub.add_argument("name", metavar="CASE")
            sub.add_argument("--data", metavar="FILE", help="a file of your own in the dataset's place")
            sub.add_argument("--to", metavar="FOLDER", help="where what is made of it goes: model and report")
        elif verb == "register":
            sub.add_argument("names", nargs="*", metavar="CASE", help="default: all that are evaluated")
        elif verb in ("monitor", "retrain"):
            sub.add_argument("name", metavar="CASE")
            if verb == "monitor":
                sub.add_argument("folder", nargs="?", metavar="FOLDER", help="default: incoming/CASE")
                sub.add_argument(
                    "--retrain", action="store_true", help="retrain at once if enough of the last batches have drifted"
                )
        elif verb == "sweep":
            sub.add_argument("name", metavar="CASE")
            sub.add_argument("--trials", type=int, metavar="N", help="finished trials in all; default: params.yaml's")
        elif verb == "repeat":
            sub.add_argument("name", metavar="CASE")
            sub.add_argument("--seeds", type=int, default=5, metavar="N", help="in all, from its own on (%(default)s)")
            sub.add_argument("--jobs", type=int, metavar="N", help="how many at once (a core each)")
        elif verb == "claims":
            sub.add_argument("section", nargs="?", default="", metavar="SECTION", help="or a chapter; default: all")
        elif verb in commands.VERBS:
            commands.arguments(verb, sub)
    return top


def run(arguments: argparse.Namespace) -> None:
    """Do what the command line says."""
    if arguments.verb not in ALL_THREADS and not granted_threads():
        os.environ.update(dict.fromkeys(THREADS, "1"))
    if arguments.verb in STEPWISE:
        memory.keep_freed()
    from handbook.files import private
    from handbook.project import Project

    start, project = Path.cwd(), Project.here()
    _refuse_other_code(project)
    if arguments.verb in commands.VERBS:  # before the folder changes, which the user's paths start from
        commands.run(_own(project, arguments) if arguments.verb == "predict" else project, arguments)
        return
    own = _own(project, arguments)
    os.chdir(project.root)
    if arguments.verb in WATCHFUL and (project.root / ".dvc").is_dir():
        private.site_cache(project.root)
    match arguments.verb:
        case "data":
            from handbook.steps import data

            data.data(project, arguments.names, arguments.source, arguments.or_sample)
        case "where":
            from handbook.steps import data

            data.where(project)
        case "monitor":
            from handbook.monitoring import retraining

            folder = start / arguments.folder if arguments.folder else None
            retraining.watch_over(project, arguments.name, folder, arguments.retrain)
        case "retrain":
            from handbook.monitoring import retraining

            print(retraining.retrain(project, arguments.name))
        case "sweep":
            from handbook.sweeps import sweep

            sweep.sweep(project, arguments.name, arguments.trials)
        case "claims":
            from handbook.steps import claims

            claims.claims(project, arguments.section)
        case "register":
            from handbook.steps.register import register

            register(project, *arguments.names)
        case _:
            _step(project, own, arguments)


def _step(project: Project, own: Project, arguments: argparse.Namespace) -> None:
    """A step of the pipeline, in a file of its own; what stops it leaves nothing half-written."""
    verb = arguments.verb
    step = getattr(importlib.import_module(f"handbook.steps.{verb}"), verb)
    if verb in ("sources", "report", "status", "check"):
        written = (project.root / name for name in ("reports/index.html", "reports/built.json", "README.md"))
        with leftovers.removed(*written, project.sources):
            step(project)
        return
    if verb == "repeat":
        with leftovers.removed(project.reports(arguments.name)):
            step(project, arguments.name, arguments.seeds, arguments.jobs)
        return
    if verb == "evaluate":
        from handbook.registry import trained

        trained.check(own, arguments.name, judged=True)
    with leftovers.removed(own.models(arguments.name), own.reports(arguments.name)):
        step(own, arguments.name)


def _own(project: Project, arguments: argparse.Namespace) -> Project:
    """The project, with a file of one's own in the data's place if the command line names one."""
    from handbook.project import Apart

    file, folder = getattr(arguments, "data", None), getattr(arguments, "to", None)
    if (file is None) != (folder is None):
        raise HandbookError("--data FILE and --to FOLDER belong together: what is made of FILE goes to FOLDER")
    folder = folder or getattr(arguments, "trained", None)
    if folder is None:
        return project
    place = Path(folder).absolute()
    _refuse_place(place)
    if file:
        glyphs.summarised()
    known = _trained_with(place, arguments.name) if arguments.verb != "train" else None
    return replace(project, apart=Apart(arguments.name, place, Path(file).absolute() if file else None, known))


def _refuse_place(folder: Path) -> None:
    """HandbookError where no folder is and none can be made."""
    try:
        there = next(each for each in (folder, *folder.parents) if each.exists() or each.is_symlink())
    except (OSError, ValueError) as error:
        raise HandbookError(f"{str(folder)[:100]!r} cannot be the name of a folder: {error}") from None
    if not there.is_dir():
        raise HandbookError(f"{there} is no folder, and what is made should lie in {folder}. Name another")
    if not os.access(there, os.W_OK | os.X_OK):
        raise HandbookError(f"nothing can be written in {there}, and what is made should lie in {folder}. Name another")


def _trained_with(folder: Path, name: str) -> dict[str, Any] | None:
    """The parameters of the model in a folder, or None where they were not written down."""
    from handbook.project import TRAINED

    try:
        known = json.loads((folder / TRAINED).read_text(encoding="utf-8"))
        case, params = str(known["case"]), dict(known["params"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise HandbookError(f"{folder / TRAINED} is damaged: {error!r}. Train the model in {folder} again") from None
    if case != name:
        raise HandbookError(f"{folder} holds a model of {case}, not of {name}")
    return params


def _refuse_other_code(project: Project) -> None:
    """HandbookError where this is the package of another checkout, whose code and data would be used in silence."""
    own, here = project.root / "src" / "handbook" / "__main__.py", Path(__file__)
    if own.exists() and not own.samefile(here):
        raise HandbookError(
            f"this is the code of {here.parent}, but the current folder belongs to {project.root}.\n"
            "Either PYTHONPATH names the other one (unset it), or .venv was copied from it (run `make setup` here)"
        )


def _refuse_renamed(words: list[str]) -> None:
    """HandbookError for a verb of before, with what it is today."""
    if words and words[0] in RENAMED:
        raise HandbookError(f"{words[0]!r} is part of another verb now. Type: {RENAMED[words[0]]}")


def main() -> int:
    """The exit code: 0 done, 1 an error that is reported, 2 a wrong command line, 128 and its number for a signal."""
    encoding.in_utf8()
    imports.calm_collector()
    try:
        with endings.raised():
            _refuse_renamed(sys.argv[1:])
            run(parser().parse_args())
            sys.stdout.flush()  # here, where a full disk can still be reported
    except BrokenPipeError:  # who read our answers has seen enough, `| head` say
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (endings.Ended, KeyboardInterrupt) as request:
        ending = request if isinstance(request, endings.Ended) else endings.Ended(signal.SIGINT)
        print(ending.said, file=sys.stderr)
        return ending.code
    except Exception as error:
        print(f"error: {sentence(error)}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
