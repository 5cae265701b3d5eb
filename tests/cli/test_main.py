"""Help, start, and what becomes of a user's mistakes."""

import inspect
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from nmt import __version__

CONFIGS = Path(__file__).parents[2] / "configs"


def test_help_needs_no_jax_and_less_than_a_second():
    code = "import sys, nmt, nmt.cli; sys.argv = ['nmt', '--help']; import contextlib\n"
    code += "with contextlib.suppress(SystemExit): nmt.cli.main()\n"
    code += "assert not {'jax', 'flax', 'datasets', 'sentencepiece'} & set(sys.modules)\n"
    code += "import time; print('seconds', time.process_time())"
    command = [sys.executable, "-c", code]
    said = (subprocess.check_output(command, text=True) for _ in range(3))

    assert any(float(each.split("seconds")[-1]) < 1.0 for each in said)


@pytest.mark.parametrize("imported", ["nmt.allocator", "jaxlib.cpu_feature_guard"])
def test_ctrl_c_is_silent_while_something_is_imported(copy_run, imported):
    environment = {**os.environ, "PYTHONPROFILEIMPORTTIME": "1"}  # a line for each import
    command = [sys.executable, "-m", "nmt", "info", str(copy_run)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, env=environment, text=True) as process:
        said = iter(process.stderr)
        next(line for line in said if imported in line)
        process.send_signal(signal.SIGINT)
        later = [line for line in said if not line.startswith("import time:")]

    assert (later, process.returncode) == ([], -signal.SIGINT)


def test_ctrl_c_that_a_script_ignores_stays_ignored():
    code = "import signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    code += "import nmt.__main__; sys.argv[1:] = ['--version']\n"
    code += "try: nmt.__main__.main()\n"
    code += "except SystemExit: assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN"

    assert subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def test_the_options_of_the_command_line_are_a_module():
    from nmt.cli import options

    assert inspect.ismodule(options)


def test_help_lists_the_commands_in_the_order_of_their_use(nmt):
    code, out, _ = nmt("--help")

    listed = [line.split()[0] for line in out.partition("Commands:")[2].splitlines() if line]
    assert code == 0
    assert listed == COMMANDS.split(", ")


def test_help_describes_each_command_in_a_whole_sentence(nmt, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")

    _, out, _ = nmt("--help")

    lines = [line for line in out.partition("Commands:")[2].splitlines() if line]
    assert [line for line in lines if not line.endswith(".") or line.endswith("...")] == []


COMMANDS = (
    "demo, split, init, train, average, translate, score, rescore, evaluate, align, symmetrize, "
    "aer, plot, curves, serve, info, export, config, clean, shortlist, bench, cache"
)


@pytest.mark.parametrize("command", COMMANDS.split(", "))
def test_each_command_shows_an_example(nmt, command):
    code, out, _ = nmt(command, "--help")

    assert code == 0
    assert "Example: " in out
    assert f"nmt {command}" in out


def test_a_second_start_compiles_nothing(copy_run, tmp_path):
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    environment.pop("JAX_COMPILATION_CACHE_DIR", None)
    command = [sys.executable, "-m", "nmt", "translate", str(copy_run)]

    def programs():
        subprocess.run(command, env=environment, input=b"a b\n", capture_output=True, check=True)
        kept = (tmp_path / "nmt" / "compiled").glob("*-cache")
        return {path: path.stat().st_mtime_ns for path in kept}

    first = programs()
    assert any("search" in path.name for path in first)
    assert programs() == first


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"data.train": "none"}, "none.de: no such file"),
        ({"model.hidden": 3}, "model.hidden: unknown key"),
        ({"model.dropuot": 0.1}, "did you mean model.dropout?"),
        ({"model.dropout": 1.5}, "model.dropout.rate: input should be less than 1, not 1.5"),
        ({"model.dropout": "much"}, "model.dropout.rate: expected a number"),
        ({"model.attention.score": "dot", "model.decoder.hidden_size": 5}, "must be the size"),
        ({"tokenizer.vocabulary_size": 90000}, "tokenizer.vocabulary_size"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_and_exit_code_2(nmt, tmp_path, overrides, message):
    run, text = tmp_path / "run", tmp_path / "text"
    for language in ("de", "en"):  # a short one, whose pieces are learned at once
        text.with_suffix(f".{language}").write_text("a b c\nd e f\n")
    arguments = {"data.train": text, "data.validation": text, "run": run} | overrides

    code, out, err = nmt(
        "train", CONFIGS / "demo.yaml", *(f"{key}={value}" for key, value in arguments.items())
    )

    assert (code, out) == (2, "")
    assert message in err
    assert err.startswith("nmt: ")
    assert err.count("\n") == 1
    assert not run.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["translate", "nowhere"], "nowhere: no such run folder"),
        (["info", "."], "not a run folder"),
        (["train", "nowhere.yaml"], "nowhere.yaml: no such configuration file"),
        (["plot", "RUN", "a", "-o", "map.gif"], "map.gif: a figure is written as"),
        (["translate", "RUN", "nowhere.txt"], "nowhere.txt: no such file"),
        (["translate", "RUN", "FILE", "-o", "no/out.txt"], "no/out.txt: cannot be written"),
        (["plot", "RUN", " "], "nothing to draw"),
    ],
)  # fmt: skip
def test_a_bad_argument_is_named(nmt, copy_run, text, arguments, message):
    values = {"RUN": copy_run, "FILE": text("in.txt", "a")}

    code, _, err = nmt(*[values.get(each, each) for each in arguments])

    assert code == 2
    assert message in err
    assert "Traceback" not in err


def test_unequal_files_are_named_with_both_counts(nmt, copy_run, text):
    one, two = text("one", "a"), text("two", "a", "b")

    _, _, evaluated = nmt("evaluate", copy_run, "--source", one, "--reference", two)
    code, _, aligned = nmt("align", copy_run, "--source", one, "--target", two)

    assert code == 2
    counts = f"nmt: {one} has 1 line and {two} has 2"
    assert evaluated == f"{counts}\n"
    assert aligned == f"{counts}: line n of one must be the translation of line n of the other\n"


def test_the_version_is_shown(nmt):
    assert nmt("--version") == (0, f"nmt {__version__}\n", "")
