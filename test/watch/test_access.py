"""Who may see the page: names, origins and tokens."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dasha_ros.watch.access import Access, is_host, is_loopback, names_of_this_machine

LOCAL, OPEN = Access.of("127.0.0.1"), Access.of("0.0.0.0")


@pytest.mark.parametrize(
    "header", ["localhost", "localhost:8899", "127.0.0.1:1", "[::1]:8899", "LOCALHOST:5"]
)
def test_this_machine_may_look(header: str) -> None:
    assert not LOCAL.refuse_host(header)


@pytest.mark.parametrize(
    "header",
    ["", "evil.example", "evil.example:8899", "127.0.0.1.evil.example", "10.0.0.7:8899",
     "localhost.evil", "[::1", "localhost@evil.example", "127.0.0.1:8899@evil.example:8899"],
)  # fmt: skip
def test_a_name_that_was_pointed_here_may_not(header: str) -> None:
    assert "not called" in LOCAL.refuse_host(header)


@given(st.text(max_size=60))
def test_no_header_breaks_the_rules(text: str) -> None:
    assert isinstance(LOCAL.refuse_host(text), str)
    assert isinstance(OPEN.refuse_host(text), str)
    assert LOCAL.refuse_origin(text, "127.0.0.1:8899")
    assert LOCAL.refuse_origin(f"http://{text}", "127.0.0.1:8899")


@pytest.mark.parametrize(
    "origin",
    ["", "null", "http://evil.example", "http://127.0.0.1:8898", "http://127.0.0.1", "http://localhost:8899",
     "ftp://127.0.0.1:8899", "http://127.0.0.1:8899.evil.example", "file://127.0.0.1:8899"],
)  # fmt: skip
def test_a_script_of_another_site_may_not_connect(origin: str) -> None:
    assert LOCAL.refuse_origin(origin, "127.0.0.1:8899")


def test_the_own_page_may_connect_also_through_a_tunnel() -> None:
    for host in ("127.0.0.1:8899", "localhost:9000", "[::1]:8899"):
        assert not LOCAL.refuse_origin(f"http://{host}", host)
    assert LOCAL.refuse_origin("http://", "")


def test_only_a_server_that_others_reach_needs_a_token() -> None:
    assert not LOCAL.token
    assert LOCAL.has_token("")
    assert len(OPEN.token) >= 32
    assert OPEN.token != Access.of("0.0.0.0").token
    assert OPEN.has_token(OPEN.token)
    assert not any(OPEN.has_token(wrong) for wrong in ("", "x", OPEN.token[:-1], OPEN.token + "x", "ü"))
    assert OPEN.token not in repr(OPEN)


def test_an_open_server_answers_to_addresses_and_its_own_names() -> None:
    for name in ("192.168.1.20", "[fe80::1]", *names_of_this_machine(), "robot.lan"):
        assert not Access.of("0.0.0.0", ("Robot.lan",)).refuse_host(f"{name}:8899")
    assert OPEN.refuse_host("evil.example:8899")
    assert not Access.of("robot.lan").refuse_host("robot.lan:8899")


@pytest.mark.parametrize(
    ("host", "closed"),
    [("127.0.0.1", True), ("127.0.0.5", True), ("::1", True), ("localhost", True), ("0.0.0.0", False),
     ("::", False), ("192.168.1.20", False), ("localhost.evil.example", False), ("robot", False)],
)  # fmt: skip
def test_what_only_this_machine_reaches(host: str, closed: bool) -> None:
    assert is_loopback(host) is closed


@pytest.mark.parametrize("name", ["robot", "Robot.example", "my-robot_2.local", "10.0.0.7", "::1", "0.0.0.0"])
def test_a_browser_can_call_a_machine_so(name: str) -> None:
    assert is_host(name)


@pytest.mark.parametrize(
    "name", ["", "robot.example:8899", "http://robot", "robot/", "a b", "küche", "[::1]", ".", "a..b"]
)
def test_a_browser_never_calls_a_machine_so(name: str) -> None:
    assert not is_host(name)
