"""nmt serve as a process: its options, its port, and how a signal ends it."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest


@pytest.fixture
def serve():
    """Starts the command, and returns its process and its port."""
    started = []

    def start(*arguments, **environment):
        command = [sys.executable, "-m", "nmt", "serve", *map(str, arguments)]
        process = subprocess.Popen(
            [*command, "--port", "0", "--warm", "0"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | environment,
        )
        started.append(process)
        ready = process.stdout.readline()
        found = re.fullmatch(r"serving (.*) on http://127\.0\.0\.1:(\d+)\n", ready)
        assert found, ready
        return process, int(found[2])

    yield start
    for process in started:
        process.kill()
        process.communicate()


def asked(port, text):
    body = json.dumps({"text": text}).encode()
    with urlopen(f"http://127.0.0.1:{port}/v1/translate", body, timeout=60) as answer:
        return answer.status, json.loads(answer.read())


@pytest.mark.slow
def test_a_signal_lets_requests_finish_and_ends_without_error(serve, copy_run):
    process, port = serve(copy_run, "decoding.beam=2")
    lines, found = ["a b c", "d e", "", "f g h a b"] * 20, []
    asking = threading.Thread(target=lambda: found.append(asked(port, "\n".join(lines))))
    asking.start()
    time.sleep(0.3)  # programs are compiled, which takes longer
    process.send_signal(signal.SIGTERM)
    asking.join(60)

    assert process.wait(60) == 0
    [(status, answer)] = found
    assert status == 200
    assert [ranked[0]["text"] for ranked in answer["translations"]] == lines
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
    [line] = process.communicate()[1].splitlines()
    assert json.loads(line)["lines"] == 80


def test_without_a_key_only_names_of_this_machine_are_answered(serve, copy_run):
    _, port = serve(copy_run, "--cors", "https://nmt.example.org")

    def asked_as(name):
        request = Request(f"http://127.0.0.1:{port}/v1/models", headers={"Host": name})
        return urlopen(request, timeout=60).status

    assert asked_as(f"localhost:{port}") == asked_as("nmt.example.org") == 200
    with pytest.raises(HTTPError, match="403"):
        asked_as("evil.example")


MISTAKES = [
    ([], "no run to serve; name a run folder, or several"),
    (["nowhere", "--port", "0"], "nowhere: no such run folder; `nmt train CONFIG` makes one"),
    (["RUN", "RUN"], "two runs are named NAME; each model needs a name of its own"),
    (["RUN", "RUN/tokenizer/.."], "two runs are named NAME; each model needs a name of its own"),
    (["RUN", "model.dropout=0"], "model.dropout: only settings of decoding can be given"),
    (["RUN", "--port", "PORT"], "--host 127.0.0.1 --port PORT: Address already in use; choose"),
    (["RUN", "--host", "a" * 64], "aa --port 8080: no name of a host; choose another"),
    (["RUN", "--api-key", "schlüssel"], "--api-key: headers carry letters, digits and signs of"),
    (["RUN", "--api-key", "a b"], "--api-key: headers carry letters, digits and signs of ASCII"),
    (["RUN", "--api-key", ""], "--api-key: is empty, so that anyone might ask; give a key, or "),
    (["RUN", "--timeout", "inf"], "'--timeout': Input should be less than or equal to 86400"),
    (["RUN", "--cors", "https://example.org/"], "--cors https://example.org/: browsers send no"),
    (["RUN", "--cors", "example.org"], "--cors example.org: browsers send no such origin, but"),
    (["RUN", "--cors", "https://Example.org"], "--cors https://Example.org: browsers send no"),
    (["RUN", "--cors", "https://a.org:443"], "--cors https://a.org:443: browsers send no such"),
    (["RUN", "--host", "256.0.0.1"], "--host 256.0.0.1 --port 8080: Name or service not known"),
]


@pytest.mark.parametrize(("arguments", "message"), MISTAKES)
def test_a_mistake_is_one_clear_line(nmt, copy_run, arguments, message):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        real = {"RUN": copy_run, "PORT": port}
        message = message.replace("PORT", port).replace("NAME", copy_run.name)
        replaced = (re.sub("^RUN|^PORT", lambda name: str(real[name[0]]), e) for e in arguments)
        code, _, err = nmt("serve", *replaced)

    assert code == 2
    assert message in err


def test_an_empty_key_in_the_environment_is_refused(nmt, copy_run, monkeypatch):
    monkeypatch.setenv("NMT_API_KEY", "")

    code, out, err = nmt("serve", copy_run)

    assert (code, out) == (2, "")
    assert err == (
        "nmt: --api-key: is empty, so that anyone might ask; give a key, or leave out the option "
        "and unset NMT_API_KEY\n"
    )


def test_without_the_extra_one_line_says_how_to_get_it(nmt, copy_run, monkeypatch):
    for name in [each for each in sys.modules if each.startswith("nmt.serving")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "starlette.applications", None)
    code, _, err = nmt("serve", copy_run)

    assert (code, err) == (2, "nmt: nmt serve needs the extra: pip install 'nmt[serve]'\n")


def test_other_commands_do_not_import_the_server():
    loaded = "import sys, nmt.cli; print([m for m in ('starlette', 'uvicorn') if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)

    assert run.stdout == "[]\n"
