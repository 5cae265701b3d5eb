"""What belongs to the whole process: calls from Python leave it alone, the command line sets it."""

import json
import os
import resource
import subprocess
import sys

import pytest

LIBRARY = """
import json, resource, sys
import datasets

def found():
    return [sys.path, datasets.logging.get_verbosity(), datasets.are_progress_bars_disabled()]

def page_faults():
    for step in range(12):
        if step == 2:
            before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        block = bytearray(2**26)
        del block
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

before = json.dumps(found())
import nmt, nmt.training.session
nmt.Translator.load(sys.argv[1]).translate(["a b"])
print(json.dumps([before == json.dumps(found()), page_faults()]))
"""

COMMAND = """
import contextlib, sys
import nmt.cli
sys.argv = ["nmt", "--help"]
with contextlib.suppress(SystemExit), contextlib.redirect_stdout(None):
    nmt.cli.main()
assert "datasets" not in sys.modules
import datasets
print(datasets.logging.get_verbosity(), datasets.are_progress_bars_disabled())
"""


def run(program, *arguments, **environment):
    """Returns what a program prints; the settings that the tests have made are not its own."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in ("HF_DATASETS_DISABLE_PROGRESS_BARS", "DATASETS_VERBOSITY")
    }
    command = [sys.executable, "-c", program, *map(str, arguments)]
    done = subprocess.run(command, env=kept | environment, capture_output=True, check=True)
    return done.stdout.decode()


@pytest.mark.skipif(sys.platform != "linux", reason="the allocator is set on Linux alone")
def test_importing_and_translating_in_python_changes_nothing_of_the_process(copy_run):
    unchanged, faults = json.loads(run(LIBRARY, copy_run))

    assert unchanged
    assert faults > 0.5 * 10 * 2**26 / resource.getpagesize()  # freed memory was given back


def test_commands_hear_nothing_of_datasets():
    assert run(COMMAND).split() == ["50", "True"]


def test_what_the_user_has_set_for_datasets_stays():
    environment = {"HF_DATASETS_DISABLE_PROGRESS_BARS": "0", "DATASETS_VERBOSITY": "info"}

    assert run(COMMAND, **environment).split() == ["20", "False"]


def test_commands_write_utf_8_whatever_the_terminal_is_set_to():
    command = [sys.executable, "-m", "nmt", "translate", "--help"]

    done = subprocess.run(
        command, env={**os.environ, "PYTHONIOENCODING": "cp1252"}, capture_output=True, check=True
    )

    assert "schläft" in done.stdout.decode("utf-8")  # its letter is another byte in cp1252
