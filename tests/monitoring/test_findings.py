"""What is found in a batch is the batch's own: its faults stop no other, and ours are not put down to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from handbook.errors import HandbookError
from handbook.monitoring import archive, findings, judgement, reading, retraining
from handbook.project import Project
from tests.monitoring.toys import CASE, drawn, held_out, outcomes, put, shifted

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::ResourceWarning"
)


def test_spoiled_batches_are_refused_by_name_and_row_and_those_behind_them_are_judged(
    watched: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One run for many batches, of which one meets a fault that nobody foresaw, and one a machine without room."""
    rows = drawn(held_out(watched), 0, 150)
    good = put(watched, "z.2026-11-02.csv", rows).read_bytes()
    folder = judgement.incoming(watched, CASE)
    lines = good.splitlines(keepends=True)
    spoiled = {
        "a comma.csv": good.replace(b";", b","),
        "b maybe.csv": b"".join([*lines[:5], lines[5].rsplit(b";", 1)[0] + b';"maybe"\n', *lines[6:]]),
        "c page.csv": good.replace(b'"married"', b'"<script>alert(1)</script>"', 1),
        "d latin.csv": good.replace(b'"married"', b'"mari\xe9"', 1),
        "e odd.csv": good + b"\n",
        "f full.csv": good + b"\n\n",
        "z.2026-11-01.csv": b"\xef\xbb\xbf" + b"\n".join(line.rsplit(b";", 1)[0] for line in lines) + b"\n",
    }
    for name, content in spoiled.items():
        (folder / name).write_bytes(content)
    real = reading._read_table

    def read(page: Any, pinned: Path, file: Path, scratch: Path) -> reading.Content:
        if file.name.startswith("e"):
            raise RecursionError("nobody thought of that")
        if file.name.startswith("f"):
            raise OSError(28, "No space left on device")
        return real(page, pinned, file, scratch)

    monkeypatch.setattr(reading, "_read_table", read)
    with pytest.raises(HandbookError, match=r"1 of 8 batches of .* could not be judged(.|\n)*No space left on device"):
        judgement.monitor(watched, CASE)
    found = {each["came_as"][0]: each for each in archive.records(watched, CASE)}
    refused = {name: each["reason"] for name, each in found.items() if each["outcome"] == "refused"}
    assert list(refused) == ["a comma.csv", "b maybe.csv", "c page.csv", "d latin.csv", "e odd.csv"]
    assert refused["a comma.csv"].startswith("a_comma.csv is not separated by a semicolon but by a comma")
    assert "b_maybe.csv, row 5, column 'y': unknown class 'maybe'" in refused["b maybe.csv"]
    assert "{'<script>alert(1)</script>': 1}" in str(refused["c page.csv"]) or "<script>" in refused["c page.csv"]
    assert "d_latin.csv, line" in refused["d latin.csv"]
    assert "RecursionError: nobody thought of that" in refused["e odd.csv"]
    assert (found["z.2026-11-01.csv"]["labelled"], found["z.2026-11-02.csv"]["labelled"]) == (False, True)
    assert [path.name for path in folder.iterdir() if path.is_file()] == ["f full.csv"]
    assert ".held" not in str(refused)
    docs = list((watched.root / "reports" / "data_docs").rglob("*.html"))
    assert docs
    assert not [page for page in docs if "<script>alert" in page.read_text()]
    assert all("default-src 'none'" in page.read_text() for page in docs if "validations" in page.parts)
    group = {(each["column"], each["group"]) for each in found["z.2026-11-02.csv"]["groups"]}
    assert ("marital", "married") in group
    assert not found["z.2026-11-01.csv"].get("groups")
    page = (archive.folder(watched, CASE) / "index.html").read_text()
    assert all(each["batch"] in page for each in found.values())
    assert "By group" in page
    # columns that the case leaves out are compared with nothing, and retraining is advised where it can be done
    assert "duration" not in {each["column"] for each in found["z.2026-11-02.csv"]["columns"]}
    assert not retraining.prospect(watched, CASE).due


def test_retraining_waits_for_two_of_the_last_three_and_is_advised_only_where_it_can_be_done(
    watched: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = held_out(watched)
    put(watched, "a.csv", shifted(drawn(rows, 0, 200), 0).drop(columns="y"))
    retraining.watch_over(watched, CASE, None, retrain_at_once=True)
    assert "No batch can be learnt from: none has answers. Bring some" in capsys.readouterr().out
    put(watched, "b.csv", drawn(rows, 1, 200))
    put(watched, "c.csv", shifted(drawn(rows, 2, 200), 2))
    judgement.monitor(watched, CASE)
    outlook = retraining.prospect(watched, CASE)
    assert outlook.due
    assert outlook.said.startswith(f"2 of the last 3 batches of {CASE} have drifted. To retrain: python -m handbook")
    put(watched, "d.csv", drawn(rows, 3, 200))
    judgement.monitor(watched, CASE)
    later = retraining.prospect(watched, CASE)
    assert (later.due, "retraining waits for 2 of the last 3" in later.said) == (False, True)
    assert outcomes(archive.records(watched, CASE)) == {
        "a.csv": "drifted", "b.csv": "steady", "c.csv": "drifted", "d.csv": "steady",
    }  # fmt: skip


def test_a_name_that_is_no_case_opens_no_file(watched: Project) -> None:
    (watched.root / "dvc.lock").write_text("stages: {}\n")
    for name in ("../../dvc", "nobody"):
        with pytest.raises(HandbookError, match="no case"):
            judgement.monitor(watched, name)
        with pytest.raises(HandbookError, match="no case"):
            retraining.retrain(watched, name)
    assert (watched.root / "dvc.lock").read_text() == "stages: {}\n"
    assert not list((watched.cache / "monitor").glob("nobody*"))


def test_another_batch_of_the_same_name_and_first_digits_has_a_record_of_its_own(watched: Project) -> None:
    put(watched, "a.csv", drawn(held_out(watched), 0, 120))
    (first,) = judgement.monitor(watched, CASE)
    home = archive.folder(watched, CASE)
    kept = (home / f"{first['batch']}.json").read_text()
    (home / f"{first['batch']}.json").write_text(kept.replace(first["sha256"], "0" * 64))
    put(watched, "a.csv", drawn(held_out(watched), 0, 120))
    (second,) = judgement.monitor(watched, CASE)
    assert second["sha256"] == first["sha256"]
    assert second["batch"] == f"{first['batch']}-{first['sha256']}"
    assert len(list(home.glob("*.json"))) == 2


def test_words_that_the_suite_knows_go_to_data_docs_as_they_are_and_others_as_text() -> None:
    import great_expectations.expectations as gxe
    import pandas as pd

    facts = pd.DataFrame({"job": pd.array(["a&b", "<b>", "cook"], dtype="str"), "age": [1, 2, 3]})
    known = [gxe.ExpectColumnValuesToBeInSet(column="job", value_set=["a&b", "cook"])]
    assert findings._escaped(facts, known)["job"].tolist() == ["a&b", "&lt;b&gt;", "cook"]
