"""Addresses as people write them, logins that are never shown, and hosts that are given up."""

from __future__ import annotations

import base64
import http.client
import socket
import urllib.error

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handbook.data import network
from handbook.data.network import Network, said, split_login, without_login

WORD = st.text(st.characters(codec="utf-8", exclude_characters=":/#?@[]\\%", exclude_categories=("C", "Z")), min_size=1)


@given(WORD, WORD)
def test_a_login_becomes_the_header_of_basic_auth_and_leaves_the_address(user: str, password: str) -> None:
    address, header = split_login(f"https://{user}:{password}@example.org:8080/a?b=c")
    assert address == "https://example.org:8080/a?b=c"
    assert base64.b64decode(header.removeprefix("Basic ")).decode() == f"{user}:{password}"


def test_an_address_is_quoted_once_however_often_it_passes() -> None:
    once, login = split_login("HTTP://example.org/my data/%C3%BC?a=b c#part")
    assert (once, login) == ("http://example.org/my%20data/%C3%BC?a=b%20c", "")
    assert split_login(once) == (once, "")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("ftp://example.org/a", "expected an address that begins with http:// or https://"),
        ("http:///a", "the address names no host"),
        ("http://example.org:99999/", "the port is no number from 0 to 65535"),
        (
            "http://me:a/b@example.org/",
            "the port is no number from 0 to 65535; in a user or password write / as %2F, # as %23, ? as %3F",
        ),
    ],
)
def test_an_address_that_is_none_is_refused_with_the_way_out(url: str, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        split_login(url)
    assert str(caught.value) == message


@pytest.mark.parametrize("url", ["http://me:secret@host/a", "http://me:se@cret@host", "https://secret@host/a@b"])
def test_no_login_is_shown(url: str) -> None:
    assert "secret" not in without_login(f"{url} did not answer")
    assert without_login("http://host/a") == "http://host/a"


@given(st.text().map(lambda text: f"{text}."))
def test_what_a_host_says_is_one_line_of_bounded_length_that_can_be_printed(text: str) -> None:
    for error in (OSError(text), http.client.BadStatusLine(text), urllib.error.URLError(text)):
        line = said(error)
        assert line.isprintable()
        assert 0 < len(line) <= 303


def test_after_two_silent_hosts_no_other_is_asked_and_one_silent_host_is_not_asked_again() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}/"
    web = Network()
    with pytest.raises(OSError, match="refused"):
        web.open(nobody)
    with pytest.raises(OSError, match="host did not answer before"):
        web.open(nobody)
    with pytest.raises(OSError, match="refused"):
        web.open(nobody.replace("127.0.0.1", "localhost"))
    with pytest.raises(OSError, match="no host answers"):
        web.open("http://127.0.0.2/")
    assert network.RefusedError(404, "Not Found").code == 404
