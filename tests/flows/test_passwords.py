"""What must hold for the password of Prefect's server, wherever and however often it is made."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from flows import passwords, servers
from flows.entrance import link
from handbook.errors import HandbookError

MAKE = "import sys; from pathlib import Path; from flows import passwords; print(passwords.password(Path(sys.argv[1])))"


@pytest.fixture(autouse=True)
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (passwords.AUTH, passwords.SERVER_AUTH, "PREFECT_HOME"):
        monkeypatch.delenv(name, raising=False)


def test_first_starts_at_once_make_one_password(tmp_path: Path) -> None:
    home = tmp_path / "not" / "there" / "yet"
    command = [sys.executable, "-c", MAKE, str(home)]
    starts = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) for _ in range(8)]  # fmt: skip  # noqa: E501
    reported = {start.communicate(timeout=60)[0].strip() for start in starts}
    assert reported == {passwords.kept(home)}
    assert [path.name for path in home.iterdir()] == ["password"]


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o277])
def test_no_umask_opens_it_to_others(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        passwords.kept(tmp_path / "home")
    finally:
        os.umask(before)
    assert (tmp_path / "home").stat().st_mode & 0o777 == 0o700
    assert passwords.place(tmp_path / "home").stat().st_mode & 0o077 == 0


def test_it_is_made_once_and_then_kept(tmp_path: Path) -> None:
    assert passwords.kept(tmp_path) == passwords.kept(tmp_path)
    assert passwords.kept(tmp_path / "one") != passwords.kept(tmp_path / "other")


@pytest.mark.parametrize("mode", [0o644, 0o620, 0o604])
def test_one_that_others_could_read_or_write_is_given_up(tmp_path: Path, mode: int) -> None:
    seen = passwords.kept(tmp_path)
    passwords.place(tmp_path).chmod(mode)
    assert passwords.kept(tmp_path) != seen
    assert passwords.place(tmp_path).stat().st_mode & 0o777 == 0o600


def test_a_link_that_was_laid_in_its_place_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "theirs").write_text(f"handbook:{'x' * 43}\n")
    (tmp_path / "home").mkdir(mode=0o700)
    passwords.place(tmp_path / "home").symlink_to(tmp_path / "theirs")
    assert "xxx" not in passwords.kept(tmp_path / "home")
    assert (tmp_path / "theirs").read_text() == f"handbook:{'x' * 43}\n"


def test_a_file_that_holds_something_else_is_named_with_the_way_out(tmp_path: Path) -> None:
    passwords.kept(tmp_path)
    passwords.place(tmp_path).write_text("")
    with pytest.raises(
        HandbookError, match=r"password holds no password of ours(.|\n)*found 0 characters(.|\n)*Delete"
    ):
        passwords.kept(tmp_path)


def test_a_persons_own_is_used_and_none_is_made(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(passwords.AUTH, "me:client")
    assert servers.password(toy) == "me:client"
    monkeypatch.setenv(passwords.SERVER_AUTH, "me:server")
    assert servers.password(toy) == "me:server"
    assert not passwords.place(servers.home(toy)).exists()


def test_a_link_holds_it_where_a_browser_sends_it_to_nobody() -> None:
    assert link("http://127.0.0.1:4200", "me:a/b#c") == "http://127.0.0.1:4200/enter#me:a%2Fb%23c"


def test_a_note_left_by_a_killed_user_interface_leads_nowhere(toy: Path) -> None:
    with servers.noted(toy, {servers.API: "http://127.0.0.1:9/api"}):
        left = servers._note(toy).read_text()
        assert oct(servers._note(toy).parent.stat().st_mode)[-3:] == "700"
    servers._note(toy).write_text(left)
    assert servers._noted(toy) is None


def test_a_port_is_ours_before_its_server_has_loaded() -> None:
    with servers.listening() as listener, pytest.raises(OSError, match="in use"):
        servers.socket.create_server(("127.0.0.1", listener.getsockname()[1]))


def test_deployments_without_a_server_start_none_that_lets_everybody_in(toy: Path) -> None:
    env = {name: text for name, text in os.environ.items() if name != servers.API}
    done = subprocess.run(
        [sys.executable, "-m", "flows.deployments"], env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: no Prefect to offer deployments to. `make ui` starts one")
