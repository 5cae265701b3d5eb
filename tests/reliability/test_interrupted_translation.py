"""A translation of a file that was cut off goes on, and ends as if nothing had been."""

import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from nmt import cli
from nmt.cli.resumption import Resumption
from nmt.inference.translator import Translator

LINES = 648
WINDOW = 64  # lines that are translated together, with one sentence in a batch


@pytest.fixture(scope="module")
def model(undisturbed, tmp_path_factory):
    """A run that translates one sentence after the other, but in windows."""
    run = tmp_path_factory.mktemp("model") / "run"
    shutil.copytree(undisturbed.path, run)
    config = (run / "config.yaml").read_text()
    assert "\n  batch: 8\n" in config
    (run / "config.yaml").write_text(config.replace("\n  batch: 8\n", "\n  batch: 1\n"))
    return run


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """More lines than are translated before the test looks; some are empty."""
    lines = ["".join(letters) for letters in itertools.product("abcdef", repeat=4)][::2]
    lines[::50] = [""] * len(lines[::50])
    path = tmp_path_factory.mktemp("source") / "source"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def translate(model, source, monkeypatch, capsys):
    """Translates in this process; returns exit code and standard error."""

    def run(*arguments, source=source):
        command = ["nmt", "translate", str(model), str(source), *map(str, arguments)]
        monkeypatch.setattr(sys, "argv", command)
        with pytest.raises(SystemExit) as stop:
            cli.main()
        return stop.value.code or 0, capsys.readouterr().err

    return run


def stop_in_the_middle(model, source, output, *options, by):
    """Translates in another process that gets a signal when some lines are finished.

    Returns their number, the exit code and what was said.
    """
    record = output.with_name(f"{output.name}.part.json")
    command = [sys.executable, "-m", "nmt", "translate", model, source, "-o", output, *options]
    process = subprocess.Popen([str(each) for each in command], stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 300
    while process.poll() is None and not record.exists():
        assert time.monotonic() < deadline
        time.sleep(0.0005)
    assert process.poll() is None
    process.send_signal(by)
    _, error = process.communicate()
    return json.loads(record.read_text())["lines"], process.returncode, error


def kill_in_the_middle(*arguments):
    """Translates in another process that is killed, and returns how many lines are finished."""
    lines, _, _ = stop_in_the_middle(*arguments, by=signal.SIGKILL)
    return lines


def test_ctrl_c_says_where_it_goes_on(model, source, translate, tmp_path):
    output = tmp_path / "out"

    lines, code, error = stop_in_the_middle(model, source, output, by=signal.SIGINT)

    where = f"stopped after line {lines}; the same command with --resume goes on"
    assert (code, error.splitlines()[-1]) == (130, f"nmt: SIGINT: {where}")
    assert "Traceback" not in error
    assert translate("-o", output, "--resume")[0] == 0
    assert len(output.read_text().splitlines()) == LINES


def test_ctrl_c_before_a_window_leaves_nothing_to_resume(model, source, tmp_path):
    translator, output = Translator.load(model), tmp_path / "out"
    record = Resumption(translator, source, output, how={}, resume=False)

    assert record.left() == "stopped before lines were finished, and nothing is left to resume"


def test_ctrl_c_before_the_first_line_leaves_nothing(model, tmp_path):
    os.mkfifo(tmp_path / "source")
    output = tmp_path / "out"
    command = [sys.executable, "-m", "nmt", "translate", model, tmp_path / "source", "-o", output]
    process = subprocess.Popen([str(each) for each in command], stderr=subprocess.PIPE, text=True)
    with (tmp_path / "source").open("w"):  # and nothing is written
        deadline = time.monotonic() + 300
        while not (tmp_path / "out.part").exists():
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate()

    assert (process.returncode, error) == (130, "")
    assert sorted(tmp_path.iterdir()) == [tmp_path / "source"]


@pytest.mark.filterwarnings("ignore:.*cut at its longest length")
@pytest.mark.parametrize(
    "options",
    [
        pytest.param((), id="text"),
        pytest.param(("--beam", 2, "--n-best", 2), id="n-best", marks=pytest.mark.slow),
    ],
)
def test_killed_in_the_middle_it_goes_on_where_it_was(model, source, translate, tmp_path, options):
    output, whole = tmp_path / "out", tmp_path / "whole"
    part = tmp_path / "out.part"
    lines = kill_in_the_middle(model, source, output, *options)
    assert (0 < lines < LINES, lines % WINDOW, output.exists()) == (True, 0, False)
    assert translate("-o", whole, *options) == (0, "")
    # What stands at the end of the file was not finished; of what was, nothing is done again.
    part.write_bytes(b"\xff" + part.read_bytes()[1:] + b"half a li")

    assert translate("-o", output, "--resume", *options) == (0, "")

    assert output.read_bytes() == b"\xff" + whole.read_bytes()[1:]
    assert sorted(tmp_path.iterdir()) == [output, whole]


@pytest.fixture(scope="module")
def killed(model, source, tmp_path_factory):
    """A folder with what a killed translation leaves."""
    folder = tmp_path_factory.mktemp("killed")
    kill_in_the_middle(model, source, folder / "out")
    return folder


@pytest.fixture
def unfinished(killed, tmp_path):
    shutil.copytree(killed, tmp_path, dirs_exist_ok=True)
    return tmp_path / "out"


def test_what_was_made_otherwise_is_not_gone_on_with(unfinished, source, translate, tmp_path):
    part = tmp_path / "out.part"
    before = part.read_bytes()
    other = tmp_path / "other"
    other.write_text(source.read_text() + "abc\n")

    changed = {
        "source": translate("-o", unfinished, "--resume", source=other),
        "decoding.beam": translate("-o", unfinished, "--resume", "--beam", 2),
        "--n-best": translate("-o", unfinished, "--resume", "--n-best", 1),
    }

    for name, found in changed.items():
        message = f"nmt: {part}: was made with another {name}; give the same command as before, "
        assert found == (2, f"{message}or leave out --resume to begin anew\n")
    assert part.read_bytes() == before


def test_what_is_damaged_is_not_gone_on_with(unfinished, translate, tmp_path):
    part, record = tmp_path / "out.part", tmp_path / "out.part.json"
    anew = "leave out --resume to begin anew\n"

    part.write_bytes(part.read_bytes()[:1])
    shorter = translate("-o", unfinished, "--resume")
    record.write_text(record.read_text()[:-9])
    damaged = translate("-o", unfinished, "--resume")

    assert shorter == (2, f"nmt: {part}: is shorter than it was; {anew}")
    assert damaged == (2, f"nmt: {record}: is damaged; {anew}")


def test_another_model_does_not_go_on(unfinished, translate, model, tmp_path):
    record = tmp_path / "out.part.json"
    best, last = (Translator.load(model, checkpoint=which) for which in ("best", "last"))
    assert best.fingerprint in record.read_text()
    record.write_text(record.read_text().replace(best.fingerprint, last.fingerprint))

    code, error = translate("-o", unfinished, "--resume")

    assert code == 2
    assert f"{tmp_path / 'out.part'}: was made with another model; give" in error


def test_without_the_option_it_begins_anew(translate, source, tmp_path):
    output, short = tmp_path / "out", tmp_path / "short"
    short.write_text("abc\n")
    (tmp_path / "out.part").write_text("left\nover\n")
    (tmp_path / "out.part.json").write_text("{}")

    assert translate("-o", output, source=short) == (0, "")

    assert len(output.read_text().splitlines()) == 1
    assert sorted(tmp_path.iterdir()) == [output, short]


def test_what_cannot_be_gone_on_with_is_refused(translate, model, tmp_path):
    message = (
        "nmt: --resume goes on with a translation of a file to a file, which no pipe is: give "
        "INPUT and --output, and find the --alignments by `nmt align` when it is finished\n"
    )

    assert translate("--resume") == (2, message)
    links = translate("-o", tmp_path / "out", "--alignments", tmp_path / "links", "--resume")
    assert links == (2, message)
    packed = translate("-o", tmp_path / "out.zst", "--resume")
    assert packed == (
        2,
        f"nmt: {tmp_path / 'out.zst'}: --resume cannot go on with a compressed file; write plain "
        "text, and compress it when it is finished\n",
    )


STREAM = """
import itertools, os, sys
from nmt.inference.translator import Translator

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

few, many = map(int, sys.argv[2:])
lines = itertools.cycle(["abc", "", "fedc", "a b", "cafe bad"])
for number, _ in enumerate(Translator.load(sys.argv[1], batch=8).stream(lines), start=1):
    if number == few:
        print(resident())
    if number == many:
        print(resident())
        break
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_file(model):
    command = [sys.executable, "-c", STREAM, str(model), "5000", "50000"]

    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)

    few, many = map(int, done.stdout.split())
    # The text and the matrices of 45,000 lines would take 100 MB.
    assert many - few < 20_000_000
