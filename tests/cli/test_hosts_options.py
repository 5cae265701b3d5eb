"""Options and addresses with which processes cannot train together: one line for each."""

import socket

import pytest

from nmt import hosts
from nmt.errors import ClusterError

THREE = {"--coordinator": "host:8476", "--processes": "2", "--process": "0"}


def given(*names, **changes):
    """The options of these names, some with another value."""
    chosen = {name: THREE[name] for name in names} | changes
    return [word for option in chosen.items() for word in option]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (given("--coordinator"), "go together; give all three"),
        (given("--processes", "--process"), "go together; give all three"),
        (given("--coordinator", "--process"), "go together; give all three"),
        (["--distributed", *given(*THREE)], "leave out --coordinator"),
        (["--distributed", *given("--process")], "leave out --coordinator"),
        (given(*THREE, **{"--coordinator": "host"}), "--coordinator host: not HOST:PORT"),
        (given(*THREE, **{"--coordinator": ":80"}), "--coordinator :80: not HOST:PORT"),
        (given(*THREE, **{"--coordinator": "a:65536"}), "--coordinator a:65536: not HOST:PORT"),
        (given(*THREE, **{"--process": "2"}), "--process 2: the 2 processes have the numbers 0 to"),
    ],
)
def test_options_that_describe_no_group_are_refused(nmt, text, options, message):
    code, out, err = nmt(
        "train", text("config.yaml", "data: {train: here, validation: there}"), *options
    )

    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("coordinator", "numbers", "message"),
    [
        ("a:b", {"processes": 2, "process": 0}, "--coordinator a:b: not HOST:PORT, such as"),
        ("a:65536", {"processes": 2, "process": 1}, "--coordinator a:65536: not HOST:PORT, such"),
        ("a:80", {"process": 1}, "--coordinator, --processes and --process go together; give"),
        (None, {"processes": 2, "process": 0}, "--coordinator, --processes and --process go"),
        ("a:80", {"processes": 2, "process": 2}, "--process 2: the 2 processes have the numbers"),
        ("a:80", {"processes": 2, "process": -1}, "--process -1: the 2 processes have the numb"),
    ],
)
def test_python_says_the_same(coordinator, numbers, message):
    with pytest.raises(ClusterError, match=f"^{message}"), hosts.joined(coordinator, **numbers):
        pass


def test_an_address_that_is_in_use_is_refused():
    with socket.create_server(("", 0)) as used:
        address = f"127.0.0.1:{used.getsockname()[1]}"
        with (
            pytest.raises(ClusterError, match=f"{address}: Address already in use.*; give the"),
            hosts.joined(address, processes=2, process=0),
        ):
            pass


def test_an_unknown_host_is_refused():
    with (
        pytest.raises(
            ClusterError, match=r"nowhere\.invalid:80: .*; give the address of process 0"
        ),
        hosts.joined("nowhere.invalid:80", processes=2, process=1),
    ):
        pass
