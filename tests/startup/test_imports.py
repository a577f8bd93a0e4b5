"""What a verb loads: late, and no more than it needs."""

from __future__ import annotations

import subprocess
import sys


def loaded(script: str) -> str:
    """What a fresh Python prints that runs these lines, handbook's `imports` at hand."""
    command = [sys.executable, "-c", f"import sys; from handbook.startup import imports\n{script}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_a_module_for_later_is_loaded_when_something_in_it_is_asked_for() -> None:
    script = """
import email
imports.later("email.mime.text")
from email.mime import text
needed = "email.mime.nonmultipart"
print(needed in sys.modules, text.MIMEText("x").get_payload(), needed in sys.modules)
from email.mime.text import MIMEText
print(MIMEText is text.MIMEText)
"""
    assert loaded(script).split() == ["False", "x", "True", "True"]


def test_a_module_that_is_loaded_already_is_left_alone() -> None:
    assert loaded("import json; imports.later('json'); print(type(json).__name__, sys.modules['json'] is json)") == (
        "module True"
    )


def test_what_is_absent_for_one_is_there_for_the_next() -> None:
    script = """
with imports.absent("wave", "json"):
    for name in ("wave", "json"):
        try:
            __import__(name)
            print(name)
        except ImportError:
            print("no", name)
import wave
print(wave.__name__)
"""
    assert loaded(f"import json\n{script}").split("\n") == ["no wave", "json", "wave"]


def test_what_stays_is_looked_through_neither_while_it_is_loaded_nor_at_the_end() -> None:
    script = """
import gc
looked = []
gc.callbacks.append(lambda phase, _: looked.append(phase))
imports.calm_collector()
import decimal, asyncio, email.mime.text
kept = [[k] for k in range(200_000)]
print(len(looked), flush=True)
class Seen:
    def __del__(self):
        print("found by the collector", flush=True)
circle = Seen()
circle.own = circle
del circle
"""
    assert loaded(script) == "0"
    assert loaded(script.replace("imports.calm_collector()", "")).endswith("found by the collector")


def test_the_gate_loads_neither_sql_nor_statistics_nor_charts() -> None:
    heavy = "'sqlalchemy.orm', 'scipy.stats._stats_py', 'altair.vegalite'"
    script = (
        f"from handbook.data import validation; validation.load(); print([n for n in ({heavy}) if n in sys.modules])"
    )
    assert loaded(script) == "[]"


def test_no_page_loads_what_only_some_verbs_need() -> None:
    unwanted = {"lightning", "mlflow", "great_expectations", "matplotlib"}
    script = "from handbook import cases; [cases.page(each) for each in cases.names()]"
    script += f"; print({unwanted} & {{*sys.modules}})"
    assert loaded(script) == "set()"
