"""Where DVC keeps its pickles: in the checkout, for its owner alone, however DVC is called."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows import stages
from handbook.files import private

ROOT = Path(__file__).parents[2]
SHARED = [Path("/var/tmp/dvc/repo"), Path("/var/cache/dvc/repo")]  # noqa: S108 (where DVC would put it)


@pytest.fixture
def usual() -> Iterator[None]:
    """The umask that most users have, whichever the tests are run by."""
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture
def plain(pattern: Path, tmp_path: Path, usual: None, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A toy checkout with our configuration of DVC, as git makes it with that umask, and nothing exported."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # for what is started as `python -m flows.…`
    monkeypatch.setenv(private.SITE_CACHE, "")  # as if it were not there, where .venv would set it
    shutil.copytree(pattern, root := tmp_path / "plain", ignore=shutil.ignore_patterns("tmp"))
    shutil.copy(ROOT / ".dvc" / "config", root / ".dvc" / "config")
    place = ".dvc/site/repo/.gitignore"
    (root / place).parent.mkdir(parents=True)
    shutil.copyfile(ROOT / place, root / place)  # not its mode: a source archive has those of git's tar
    with (root / ".dvc" / "config").open("a") as config:
        config.write("    no_scm = true\n")
    monkeypatch.chdir(root)
    return root


def status(folder: Path, python: str = sys.executable, umask: int = 0o022) -> None:
    """`dvc status`, typed in that folder."""
    done = subprocess.run(
        [python, "-m", "dvc", "status"], cwd=folder, umask=umask, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def caches(root: Path) -> list[str]:
    """The folders that DVC has made for checkouts below it, by name: a hash of the checkout's place among others."""
    return [path.name for path in (root / ".dvc" / "site" / "repo").iterdir() if path.is_dir()]


def closed(root: Path, name: str) -> None:
    """It holds something, all of it the owner's to write; nothing of that name lies where all users can write."""
    created = [root / ".dvc" / "site", *(root / ".dvc" / "site").rglob("*")]
    assert [path for path in created if path.suffix == ".db"]
    assert not [path for path in created if path.stat().st_mode & 0o022]
    assert not [shared / name for shared in SHARED if (shared / name).exists()]


def test_dvc_typed_in_a_fresh_clone_keeps_its_cache_there_closed_to_others(plain: Path) -> None:
    status(plain)
    (name,) = caches(plain)
    closed(plain, name)
    assert not (plain / ".dvc" / "site" / "repo" / name).is_symlink()


def venv(root: Path) -> str:
    """The python of a .venv in the checkout, with what `make setup` puts into it; it finds this one's packages."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", ".venv"], cwd=root, check=True)
    python = str(root / ".venv" / "bin" / "python")
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = Path(subprocess.run([python, "-c", where], capture_output=True, text=True, check=True).stdout.strip())
    found = re.search(r"^SITE_CACHE='(.+)'$", (ROOT / "requirements/setup.sh").read_text(), re.MULTILINE)
    assert found
    (site / "handbook_site_cache.pth").write_text(found[1] + "\n")
    packages = [path for path in sys.path if path.endswith("site-packages")]
    (site / "packages.pth").write_text("\n".join(packages) + "\n")
    return python


def test_dvc_of_the_environment_typed_in_any_folder_uses_the_one_cache(
    plain: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(private.SITE_CACHE)
    python = venv(plain)
    private.site_cache(plain)
    status(plain, python)
    (name,) = caches(plain)
    for folder in (plain / "raw", plain / ".dvc"):
        status(folder, python, umask=0)
        assert not (folder / ".dvc").exists()
    assert caches(plain) == [name]
    assert (plain / ".dvc" / "site").stat().st_mode & 0o777 == 0o700


def test_a_checkout_that_was_moved_takes_its_cache_along_and_goes_on(plain: Path, tmp_path: Path) -> None:
    status(plain)
    plain.rename(moved := tmp_path / "moved é")
    status(moved)
    assert not plain.exists()
    closed(moved, caches(moved)[0])


def test_two_clones_have_a_cache_each(plain: Path, tmp_path: Path) -> None:
    shutil.copytree(plain, other := tmp_path / "other")
    status(plain)
    status(other)
    assert len(caches(plain)) == len(caches(other)) == 1
    assert caches(plain) != caches(other)


def test_a_flow_closes_the_cache_before_dvc_reads_it(plain: Path) -> None:
    (plain / ".dvc" / "site" / "repo").chmod(0o777)
    assert stages.run("validate@fruit", print).outcome is stages.Outcome.RAN
    (name,) = caches(plain)
    closed(plain, name)
    assert (plain / ".dvc" / "site").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("verb", ["data", "validate", "check"])
def test_the_verbs_that_stand_before_dvc_close_it_too(plain: Path, verb: str) -> None:
    (plain / ".dvc" / "site").chmod(0o777)
    name = ["nothing"] if verb != "check" else []
    env = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])}
    subprocess.run(
        [sys.executable, "-m", "handbook", verb, *name], cwd=plain, env=env, capture_output=True, check=False
    )
    assert (plain / ".dvc" / "site").stat().st_mode & 0o777 == 0o700


def test_make_and_the_image_name_the_same_place() -> None:
    assert "\nexport DVC_SITE_CACHE_DIR ?= $(CURDIR)/.dvc/site\n" in (ROOT / "Makefile").read_text()
    assert "DVC_SITE_CACHE_DIR=/handbook/.dvc/site\n" in (ROOT / "Dockerfile").read_text()
