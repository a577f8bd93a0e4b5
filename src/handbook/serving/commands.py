"""The verbs for models in service: predict, export, serve, shadow, demo, rollback, promote, lineage, verify."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from handbook.errors import HandbookError
from handbook.project import Project
from handbook.registry import ledger
from handbook.serving import announcing

VERBS = (
    "predict",
    "export",
    "serve",
    "shadow",
    "demo",
    "rollback",
    "promote",
    "lineage",
    "verify",
)  # what each does, says handbook.__main__
SETTINGS = (  # of every prompt or seed that has none of its own
    ("length", int, "prompts: how many characters to write (400)"),
    ("temperature", float, "prompts: below 1 surer, above 1 bolder (0.8)"),
    ("top_k", int, "prompts: draw among so many, the likeliest; 1: always the likeliest (0: all)"),
    ("top_p", float, "prompts: draw among the fewest that hold this share of the probability (1)"),
    ("seed", int, "prompts: the same seed, the same text (0)"),
    ("label", int, "seeds: which of its classes is to be drawn"),
)
INPUTS = """what the case takes:
  pictures  PNG or JPEG files, or a folder of them: 28 x 28, white on black, or 64 x 64 in colour on white, as the
            data are; transparent parts become the ground of the data; nothing is scaled
  rows      a CSV with a header and the case's columns, in any order; others are left out
  prompts   the text to go on from, or a CSV with the column prompt, and length, temperature, top_k, top_p, seed
  latents   seeds, or a CSV with the column seed, and label; the pictures go to the folder that --output names
The settings of prompts and seeds may stand on the command line as well: --length 400, for every row without its own.
What is unlike the data is answered with a note; what cannot be read is named, and the others are answered.

--why: what each of the three most telling attributes of a row adds to the number that is answered, relative to the
mean over rows that the model learnt from; for each picture an overlay in the folder OUTPUT.why: filled orange squares
speak for the answer, hollow blue ones against it"""


def arguments(verb: str, sub: argparse.ArgumentParser) -> None:
    """What a verb takes on the command line."""
    if verb == "lineage":
        sub.add_argument("model", metavar="MODEL", help="models:/CASE@champion, models:/CASE/2, or CASE")
        sub.add_argument("--json", action="store_true", help="for programmes")
        return
    if verb == "demo":
        sub.add_argument("--port", type=_port, default=5002, help="default: 5002; 0: any that is free")
        return
    sub.add_argument("name", metavar="CASE", nargs="?" if verb == "verify" else None)
    if verb == "predict":
        sub.formatter_class, sub.epilog = argparse.RawDescriptionHelpFormatter, INPUTS
        sub.add_argument("inputs", nargs="+", metavar="INPUT", help="see below")
        sub.add_argument("--output", metavar="FILE", type=Path, help="answers as CSV; default: stdout")
        sub.add_argument("--why", action="store_true", help="with each answer its reasons; for rows and pictures")
        sub.add_argument("--batch-size", type=_positive, metavar="N", help="so many in memory at a time")
        sub.add_argument("--delimiter", type=_mark, metavar="MARK", help="between a CSV's cells; default: found out")
        sub.add_argument("--from", dest="trained", metavar="FOLDER", help="a model that was trained with --to FOLDER")
        for setting, kind, text in SETTINGS:
            sub.add_argument(f"--{setting.replace('_', '-')}", type=kind, metavar=kind.__name__.upper()[:5], help=text)
    if verb == "export":
        sub.add_argument("--to", metavar="FILE", type=Path, required=True, help="the ONNX file to write")
        sub.add_argument("--force", action="store_true", help="replace the file if it is there")
    if verb == "serve":
        sub.add_argument("--host", default="127.0.0.1", help="default: 127.0.0.1, this machine alone")
        sub.add_argument("--port", type=_port, default=5001, help="default: 5001; 0: any that is free")
        sub.add_argument(
            "--name", dest="names", action="append", default=[], metavar="HOST[:PORT]",
            help="a further name by which clients call it; loopback's and this machine's are known",
        )  # fmt: skip
        sub.add_argument("--log", metavar="FOLDER", type=Path, help="write what is answered there; never over 64 MB")
        sub.add_argument("--keep-inputs", action="store_true", help="and what was sent, as batches that monitor reads")
        sub.add_argument(
            "--shadow", nargs="?", const="challenger", metavar="N",
            help="ask another version the same in the background; default: the challenger. See: handbook shadow",
        )  # fmt: skip
    if verb in ("predict", "export", "serve"):
        sub.add_argument(
            "--version", default="", metavar="N", help="or champion, challenger, previous; default: champion"
        )
    if verb == "promote":
        sub.add_argument("--version", required=True, metavar="N", help="or challenger, previous")


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is too few; the least is 1")
    return number


def _port(text: str) -> int:
    number = int(text)
    if not 0 <= number < 65536:
        raise argparse.ArgumentTypeError(f"{number} is no port; they are 0 to 65535")
    return number


def _mark(text: str) -> str:
    mark = {"tab": "\t", "\\t": "\t"}.get(text, text)
    if len(mark) != 1:
        raise argparse.ArgumentTypeError(f"expected one character or tab, found {text!r}")
    return mark


def run(project: Project, arguments: argparse.Namespace) -> None:
    """Do what the command line says."""
    match arguments.verb:
        case "predict":
            predict(project, arguments)
        case "serve":
            from handbook.serving.serve import serve

            if arguments.keep_inputs and not arguments.log:
                raise HandbookError("--keep-inputs needs a folder to keep them in: --log FOLDER")
            options = {"names": arguments.names, "keep_inputs": arguments.keep_inputs}
            options |= {"log": str(arguments.log.absolute())} if arguments.log else {}
            options |= {"shadow": arguments.shadow} if arguments.shadow else {}
            serve(project, arguments.name, arguments.host, arguments.port, arguments.version, options)
        case "export":
            from handbook.serving.export import export

            print(export(project, arguments.name, arguments.to, arguments.version, arguments.force))
        case "shadow":
            from handbook.serving import differences

            print(differences.summary(project, arguments.name))
        case "demo":
            from handbook.serving.demo.run import demo

            demo(project, arguments.port)
        case "lineage":
            from handbook.registry import lineage

            known = lineage.lineage(project, arguments.model)
            print(json.dumps(known, indent=2, sort_keys=True) if arguments.json else lineage.summary(known))
        case "verify":
            verify(project, arguments.name)
        case "rollback":
            print(rollback(project, arguments.name))
            announcing.tell(project, "rolled-back", arguments.name)
        case "promote":
            print(promote(project, arguments.name, arguments.version))
            announcing.tell(project, "promoted", arguments.name)


def predict(project: Project, arguments: argparse.Namespace) -> None:
    """Predict, and say how it ended on stderr, where it does not stand among the answers."""
    from handbook.serving import answers, prediction

    outcome = prediction.predict(
        project, arguments.name, arguments.inputs, arguments.output,
        version=arguments.version, batch_size=arguments.batch_size, separator=arguments.delimiter, why=arguments.why,
        settings={key: value for key, *_ in SETTINGS if (value := getattr(arguments, key)) is not None},
    )  # fmt: skip
    print(answers.summary(outcome), file=sys.stderr)


def rollback(project: Project, name: str) -> str:
    """Return to the champion before, in the ledger and in MLflow; says what is champion now."""
    from handbook.registry import outlines, tracking

    case = project.case(name, outlines.page)
    before = tracking.follow(project, case, "rollback", lambda: ledger.roll_back(project, case))
    gone, now = (ledger.number(known, "champion") for known in (before, ledger.state(project, name)))
    return (
        f"{name}: version {now} is champion again; version {gone} is rejected.\n"
        f"To take it back: python -m handbook promote {name} --version {gone}"
    )


def promote(project: Project, name: str, version: str) -> str:
    """Make a version champion without asking the gate, in the ledger and in MLflow."""
    from handbook.registry import outlines, tracking

    case = project.case(name, outlines.page)
    tracking.follow(project, case, f"promote {version}", lambda: ledger.promote(project, case, version))
    known = ledger.state(project, name)
    before = ledger.number(known, "previous")
    return f"{name}: version {ledger.number(known, 'champion')} is champion" + (
        f", before it {before}" if before else ""
    )


def verify(project: Project, name: str | None) -> None:
    """A line a thing that does not match, and how many do; HandbookError if any does not."""
    from handbook.registry import verification

    findings = list(verification.verify(project, name))
    for record in dict.fromkeys(finding.record for finding in findings):
        same = [finding for finding in findings if finding.record == record]
        wrong = [finding for finding in same if finding.fault]
        print(f"{record:9} {len(same) - len(wrong):4} as written down, {len(wrong)} not")
        for finding in wrong:
            print(f"  {finding.thing}\n    " + finding.fault.replace("; ", "\n    ").replace("\n  ", "\n    "))
    faults = sum(bool(finding.fault) for finding in findings)
    if faults:
        raise HandbookError(f"{faults} of {len(findings)} things no longer match what was written down")
