"""A toy checkout with the real stages' names, and one Prefect server for all tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

# Prefect reads its settings when it is imported, which the test modules do: so this stands before all of them.
os.environ["DO_NOT_TRACK"] = "true"
os.environ.setdefault("PREFECT_HOME", str(Path(__file__).parents[2] / ".prefect"))

from flows import servers
from flows.__main__ import tell_the_rest
from tests.conftest import ROOT
from tests.flows.opened import Open, opened

# A case is broken by the file broken/CASE, a stage slowed down by the file slow (seconds), held up by the file held.
PIPELINE = """
    stages:
      sources:
        cmd: mkdir -p sources && cp params.yaml sources/
        deps: [params.yaml]
        outs: [sources]
      validate:
        foreach: ${datasets}
        do:
          cmd: mkdir -p reports/${item} && cp raw/${item} reports/${item}/validation.json
          deps: [raw]
          outs:
            - reports/${item}/validation.json: {cache: false, persist: true}
      train:
        foreach: ${cases}
        do:
          cmd: >-
            echo "threads $OMP_NUM_THREADS" && sleep $(cat slow) && while test -e held; do sleep 0.1; done &&
            mkdir -p models &&
            mkdir -p .cache/progress && echo '{"done": 1, "of": 2}' > .cache/progress/train@${key}.json &&
            echo 'epoch 1/2: train_loss 0.5' &&
            if test -e broken/${key}; then echo "${key} is broken" >&2; exit 3; fi && echo ${key} > models/${key}
          params:
            - cases.${key}
          deps:
            - reports/${item.dataset}/validation.json
          outs:
            - models/${key}
      evaluate:
        foreach: ${cases}
        do:
          cmd: >-
            mkdir -p reports/${key} reports/evaluated && cp metrics reports/${key}/metrics.json &&
            echo ${key} > reports/evaluated/${key}.json
          deps:
            - models/${key}
          outs:
            - reports/evaluated/${key}.json
          metrics:
            - reports/${key}/metrics.json: {cache: false}
      register:
        cmd: rm -rf registered && cp -r reports/evaluated registered
        deps:
          - reports/evaluated
        outs:
          - registered: {cache: false, persist: true}
      report:
        cmd: cat registered/* > reports/index.html
        deps:
          - registered
        outs:
          - reports/index.html
"""
PARAMS = """
    datasets: [fruit]
    cases:
      apple: {page: pome, dataset: fruit, seed: 0}
      pear_book: {page: pome, dataset: fruit, seed: 0}
"""
METRICS = """
    {"accuracy": 0.9, "baseline": {"accuracy": 0.1}, "book": {"accuracy": 0.8412},
     "interval": {"accuracy": [0.88, 0.92]}, "data": "sample"}
"""


@pytest.fixture(scope="session")
def pattern(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The toy checkout that every test gets a copy of."""
    root = tmp_path_factory.mktemp("toy")
    for name, text in {"dvc.yaml": PIPELINE, "params.yaml": PARAMS, "metrics": METRICS, "slow": "0\n"}.items():
        (root / name).write_text(textwrap.dedent(text))
    (root / "raw").mkdir()
    (root / "raw" / "fruit").write_text("{}")
    subprocess.run([sys.executable, "-m", "dvc", "init", "--quiet", "--no-scm"], cwd=root, check=True)
    with (root / ".dvc" / "config").open("a") as config:
        config.write("    analytics = false\n    check_update = false\n")
    return root


@pytest.fixture(scope="session")
def validated(pattern: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The toy checkout with its data validated, so that a case can be trained."""
    root = tmp_path_factory.mktemp("validated") / "toy"
    shutil.copytree(pattern, root)
    subprocess.run([sys.executable, "-m", "dvc", "repro", "--quiet", "validate@fruit"], cwd=root, check=True)
    return root


@pytest.fixture
def toy(pattern: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A toy checkout of the test's own; it is the current folder."""
    return _copy(pattern, tmp_path / "toy", monkeypatch)


@pytest.fixture
def ready(validated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same, its data validated."""
    return _copy(validated, tmp_path / "toy", monkeypatch)


def _copy(pattern: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(pattern, root)
    monkeypatch.chdir(root)
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(root.parent / "site"))
    # what is started with `python -m flows` from here finds flows in this checkout
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    for name in ("PREFECT_API_URL", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    return root


@pytest.fixture(scope="package")
def ui(pattern: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Open]:
    """`make ui` around a toy checkout, once for all that attack it; it is closed with the last test of this folder."""
    root = tmp_path_factory.mktemp("ui") / "toy"
    shutil.copytree(pattern, root)
    with opened(root) as created:
        yield created


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One Prefect server for all tests of this folder, closed as `make ui` closes it: each start costs 5 to 30 s.

    A server takes a fortieth of a core while nobody asks it for anything, and a client that is left open goes on
    drawing from `random`, in a thread of its own, while other tests draw.
    """
    from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings

    root = tmp_path_factory.mktemp("prefect")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PREFECT_HOME", str(root / ".prefect"))
        patch.setenv("PYTHONPATH", str(ROOT))  # `python -m flows.pages` is started from elsewhere
        with servers.prefect(root) as started:
            servers.wait(started)
            known = {PREFECT_API_URL: f"{started.address}/api", PREFECT_API_AUTH_STRING: servers.password(root)}
            with temporary_settings(known):
                yield
                tell_the_rest()
