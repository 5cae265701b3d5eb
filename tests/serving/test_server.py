"""The socket of a server, before anything answers there."""

import signal
import socket

import pytest
import uvicorn

from nmt.errors import UserError
from nmt.serving import server


def test_a_port_is_taken_before_the_server_answers():
    with server.bound("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        message = f"^--host 127.0.0.1 --port {port}: Address already in use; choose another"
        with pytest.raises(UserError, match=message):
            server.bound("127.0.0.1", port)


def test_a_port_is_free_when_its_server_has_ended():
    with server.bound("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as waiting, first.accept()[0]:
            waiting.shutdown(socket.SHUT_WR)  # so that the end of the connection is remembered
    server.bound("127.0.0.1", port).close()


def test_who_asks_before_the_server_answers_waits():
    with (
        server.bound("127.0.0.1", 0) as listener,
        socket.create_connection(listener.getsockname(), timeout=10) as early,
    ):
        early.sendall(b"hello")
        answering, _ = listener.accept()
        with answering:
            assert answering.recv(5) == b"hello"


@pytest.fixture
def _own_signals():
    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}
    yield
    for each, handler in before.items():
        signal.signal(each, handler)


@pytest.mark.usefixtures("_own_signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_before_the_server_heeds_any_ends_it(monkeypatch, number):
    monkeypatch.setattr(uvicorn.Server, "run", lambda *_, **__: signal.raise_signal(number))

    with server.bound("127.0.0.1", 0) as listener, pytest.raises(SystemExit) as ended:
        server.run(lambda *_: None, listener, ready="serving", seconds=1)
    assert ended.value.code is None
