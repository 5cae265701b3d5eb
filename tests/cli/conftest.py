"""A command in this process, and files of text and pipes for it."""

import os
import sys

import pytest

from nmt import cli


@pytest.fixture
def nmt(monkeypatch, capsys):
    """Runs a command in this process; returns exit code, standard output and standard error."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["nmt", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        return stop.value.code or 0, *capsys.readouterr()

    return run


@pytest.fixture
def piped():
    """Makes a pipe that holds a short text, and returns its name, as bash names `<(command)`."""
    ends = []

    def pipe(text):
        read, write = os.pipe()
        ends.append(read)
        os.write(write, text.encode() if isinstance(text, str) else text)
        os.close(write)
        return f"/dev/fd/{read}"

    yield pipe
    for end in ends:
        os.close(end)


@pytest.fixture
def standard_input(piped):
    """Has the commands of a test read a short text, once, from a pipe as standard input."""
    own = os.dup(0)
    yield lambda text: os.dup2(int(piped(text).rpartition("/")[2]), 0)
    os.dup2(own, 0)
    os.close(own)


@pytest.fixture
def text(tmp_path):
    def write(name, *lines):
        (tmp_path / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return tmp_path / name

    return write
