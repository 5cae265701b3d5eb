"""By which names a server of this machine alone is asked: real requests with a header Host."""

import json
import socket

import pytest
from asking import serving

from nmt.serving import server, starting


def names(host, *origins):
    with server.bound(host, 0) as listener:
        return starting.allowed(host, listener, origins)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("evil.example", 403),
        ("evil.example:8080", 403),
        ("localhost.evil.example", 403),
        ("127.0.0.1.evil.example:80", 403),
        ("192.0.2.1", 403),
        ("[::2]:8080", 403),
        ("localhost", 200),
        ("LocalHost:8080", 200),
        ("127.0.0.1:8080", 200),
        ("[::1]", 200),
        ("[::1]:8080", 200),
        ("127.0.0.5:8080", 200),  # where it listens
        ("127.5:8080", 200),  # as it was started
        ("localhost.:8080", 200),
        ("nmt.localhost:8080", 200),
        ("nmt.example.org", 200),  # a proxy, which hands the name on
        ("nmt.example.org:8443", 200),
    ],
)
def test_a_server_without_a_key_is_asked_by_its_names_alone(service, host, status):
    with serving(service(), names=names("127.5", "https://nmt.example.org")) as client:
        for method, path in (("GET", "/"), ("GET", "/v1/models"), ("POST", "/v1/translate")):
            body = {"text": "a"} if method == "POST" else None
            found, _, answer = client.ask(method, path, body, Host=host)
            assert found == status
        if status == 403:
            assert json.loads(answer)["error"] == (
                f"this server is not asked by the name {host}; ask 127.0.0.5, or start it with "
                f"--cors https://{host} or with --api-key"
            )


def test_a_name_with_a_port_may_be_allowed(service):
    with serving(service(), names=names("localhost", "http://nmt.example.org:8443")) as client:
        assert client.ask("GET", "/health", Host="nmt.example.org:8443")[0] == 200
        assert client.ask("GET", "/health", Host="nmt.example.org:8444")[0] == 403


def test_an_address_of_version_4_written_as_one_of_version_6_is_of_this_machine():
    assert names("::ffff:127.0.0.1")[0] == "[::ffff:127.0.0.1]"


def test_a_program_may_ask_without_a_name(service):
    with (
        serving(service(), names=names("127.0.0.1")) as client,
        socket.create_connection(("127.0.0.1", client.port)) as connection,
    ):
        connection.sendall(b"GET /health HTTP/1.0\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("options", "headers"),
    [
        ({"names": names("0.0.0.0")}, {}),  # in a container, say
        ({"names": names("127.0.0.1", "*"), "cors": ["*"]}, {}),
        ({"names": names("127.0.0.1"), "api_key": "k"}, {"Authorization": "Bearer k"}),
    ],
    ids=["network", "cors", "key"],
)
def test_other_servers_are_asked_by_any_name(service, options, headers):
    with serving(service(api_key=options.pop("api_key", None)), **options) as client:
        assert client.ask("GET", "/v1/models", Host="evil.example", **headers)[0] == 200
