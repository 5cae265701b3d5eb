"""Signals: the first one is noted, the second one ends the process as ever."""

import signal
import threading

import pytest

from nmt.training import interruption


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_noted_once_and_then_does_what_it_did(number):
    ended = []
    before = signal.signal(number, lambda *_: ended.append("before us"))
    try:
        with interruption.requests() as received:
            signal.raise_signal(number)
            assert (received, ended) == ([signal.Signals(number).name], [])
            signal.raise_signal(number)
            assert ended == ["before us"]
        signal.raise_signal(number)
        assert ended == ["before us"] * 2
    finally:
        signal.signal(number, before)


def test_the_handlers_come_back():
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)

    with interruption.requests():
        assert signal.getsignal(signal.SIGTERM) is not before[0]

    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


def test_a_signal_that_is_ignored_stays_so():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with interruption.requests() as received:
            signal.raise_signal(signal.SIGINT)
        assert received == []
    finally:
        signal.signal(signal.SIGINT, before)


def test_outside_the_main_thread_there_are_no_signals_to_wait_for():
    found = []

    def work():
        with interruption.requests() as received:
            found.append(received)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()

    assert found == [[]]
