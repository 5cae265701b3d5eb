"""The commands in pipes, in terminals and with files of every kind, as a shell starts them."""

import bz2
import gzip
import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

NMT = [sys.executable, "-m", "nmt"]
LINKS = "0-0 1-1 2-2\n\n0-0\n"


@pytest.fixture
def shell(copy_run, tmp_path):
    """Runs a line of bash in a folder of its own; $nmt is the command, and $run a model."""

    def run(line, **environment):
        environment = {"nmt": " ".join(NMT), "run": str(copy_run), **environment}
        return subprocess.run(
            ["bash", "-c", line],
            cwd=tmp_path,
            env=os.environ | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
        )

    (tmp_path / "in.txt").write_text("a b c\n\nd\n", encoding="utf-8")
    return run


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("cat in.txt | $nmt translate $run", marks=pytest.mark.slow),
        pytest.param("$nmt translate $run - < in.txt", marks=pytest.mark.slow),
        pytest.param("$nmt translate $run /dev/stdin < in.txt", marks=pytest.mark.slow),
        pytest.param(
            "xz -k in.txt && $nmt translate $run <(xzcat in.txt.xz) -o out.bz2 && bzcat out.bz2",
            marks=pytest.mark.slow,
        ),
        "zstd -q --rm in.txt && $nmt translate $run in.txt -o >(cat) --alignments >(cat > links) "
        "&& sleep 0.5 && diff links <(printf '0-0 1-1 2-2\\n\\n0-0\\n')",
    ],
)
def test_every_kind_of_text_is_translated(shell, line):
    done = shell(line)

    assert (done.stdout, done.returncode) == ("a b c\n\nd\n", 0)


def test_a_text_in_a_pipe_is_translated_into_a_compressed_file(nmt, copy_run, tmp_path, piped):
    lines = "a b c\n\nd\n"

    assert nmt("translate", copy_run, piped(lines), "-o", tmp_path / "out.bz2") == (0, "", "")
    assert bz2.decompress((tmp_path / "out.bz2").read_bytes()).decode() == lines


def test_texts_in_pipes_are_aligned_and_scored(
    nmt, copy_run, text, tmp_path, piped, standard_input
):
    lines = text("in.txt", "a b c", "", "d").read_text()
    packed = tmp_path / "in.txt.gz"
    packed.write_bytes(gzip.compress(lines.encode()))
    standard_input(lines)

    gold = piped("0-0 1-1 2-2\n\n0p0\n")
    aligned = nmt("align", copy_run, "--source", "-", "--target", packed, "--gold", gold)
    both = ("--source", piped(lines), "--reference", piped(lines))
    scored = nmt("evaluate", copy_run, *both)

    assert aligned == (0, LINKS, "AER 0.000 precision 1.000 recall 1.000 F1 1.000\n")
    assert scored[0] == 0
    assert scored[1].splitlines()[1].startswith("chrF2 100.00")


COMBINED = "printf '0-0\\n\\n1-1 2-0\\n' > in; $nmt symmetrize in <(cat in)"


@pytest.mark.parametrize(
    "line",
    [
        f"{COMBINED}",
        f"{COMBINED} -o -",
        f"{COMBINED} -o /dev/stdout",
        f"{COMBINED} -o >(cat) && sleep 0.2",
        f"{COMBINED} -o >(gzip > out.gz) && sleep 0.2 && zcat out.gz",
        f"mkfifo pipe; (cat pipe &) ; {COMBINED} -o pipe && test -p pipe && sleep 0.2",
    ],
)
def test_every_kind_of_file_is_written(shell, line):
    done = shell(line)

    assert (done.stdout, done.returncode) == ("0-0\n\n1-1 2-0\n", 0)


@pytest.mark.parametrize(
    ("name", "reader"),
    [("out", "cat"), ("out.gz", "zcat"), ("out.xz", "xzcat"), ("out.zst", "zstdcat")],
)
def test_a_file_is_compressed_by_its_ending(nmt, text, tmp_path, piped, name, reader):
    given = text("in", "0-0", "", "1-1 2-0")

    assert nmt("symmetrize", given, piped(given.read_text()), "-o", tmp_path / name)[0] == 0
    read = subprocess.run([reader, tmp_path / name], capture_output=True, check=True)
    assert read.stdout.decode() == given.read_text()


def test_a_link_stays_a_link_to_what_is_written(nmt, text, tmp_path, piped):
    given, linked = text("in", "0-0", "", "1-1 2-0"), text("file")
    (tmp_path / "link").symlink_to("file")

    assert nmt("symmetrize", given, piped(given.read_text()), "-o", tmp_path / "link")[0] == 0
    assert (tmp_path / "link").is_symlink()
    assert linked.read_text() == given.read_text()


GOLD = r"<(printf '0-0 1-1 2-2\n\n0p0\n')"


@pytest.mark.parametrize(
    ("line", "found"),
    [
        pytest.param(
            f"$nmt align $run --source <(cat in.txt) --target <(cat in.txt) --gold {GOLD}",
            LINKS,
            marks=pytest.mark.slow,
        ),
        ("echo 0-0 | $nmt symmetrize - <(echo 0-0)", "0-0\n"),
        ("echo 0-0 | $nmt aer - --gold <(echo 0-0)",
         "AER 0.000 precision 1.000 recall 1.000 F1 1.000\n"),
    ],
)  # fmt: skip
def test_other_commands_read_and_write_pipes(shell, line, found):
    done = shell(line)

    assert (done.stdout, done.returncode) == (found, 0)


def test_a_sentence_in_a_pipe_is_plotted_into_another(nmt, copy_run, tmp_path, piped):
    with subprocess.Popen(["tail", "-1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as page:
        output = f"/dev/fd/{page.stdin.fileno()}"
        plotted = nmt("plot", copy_run, "--file", piped("a b c\n"), "--html", output)
        page.stdin.close()
        last = page.stdout.read()

    assert plotted == (0, "a b c\n", "")
    assert last.strip() == b"</html>"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("align --source - --target /dev/stdin",
         "/dev/stdin: two texts cannot be read from the same pipe; write one to a file first"),
        ("evaluate --source - --reference -",
         "-: two texts cannot be read from the same pipe; write one to a file first"),
        ("translate --dictionary -",
         "-: two texts cannot be read from the same pipe; write one to a file first"),
        ("translate --resume -o out",
         "--resume goes on with a translation of a file to a file, which no pipe is: give INPUT "
         "and --output, and find the --alignments by `nmt align` when it is finished"),
    ],
)  # fmt: skip
def test_what_a_pipe_cannot_do_is_said_in_one_line(
    nmt, copy_run, standard_input, tmp_path, monkeypatch, arguments, message
):
    monkeypatch.chdir(tmp_path)
    standard_input("a b c\n\nd\n")
    command, *options = arguments.split()

    assert nmt(command, copy_run, *options) == (2, "", f"nmt: {message}\n")


@pytest.mark.parametrize(
    "command",
    ["$nmt symmetrize - in.txt", pytest.param("$nmt translate $run", marks=pytest.mark.slow)],
)
def test_a_closed_standard_input_is_said_in_one_line(shell, command):
    done = shell(f"{command} <&-")

    message = "nmt: -: cannot be read (Bad file descriptor)\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", message)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (".", ".: no run (it has no config.yaml), and INPUT is a file"),
        ("in.txt -o .", ".: cannot be written (Is a directory)"),
        ("in.txt -o loop", "loop: cannot be written (Too many levels of symbolic links)"),
        ("in.txt -o out", "out: cannot be written (Is a directory)"),
        ("in.txt -o out --alignments out", "out: --output and --alignments need a file each"),
    ],
)
def test_a_file_that_cannot_be_had_is_named(
    nmt, copy_run, tmp_path, monkeypatch, arguments, message
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in.txt").write_text("a b c\n", encoding="utf-8")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "out.part.json").mkdir()

    assert nmt("translate", copy_run, *arguments.split()) == (2, "", f"nmt: {message}\n")


@pytest.mark.parametrize(
    "command",
    [
        "$nmt symmetrize long long",
        pytest.param("$nmt translate $run <(yes a b | head -3000)", marks=pytest.mark.slow),
    ],
)
def test_a_redirected_output_that_is_full_is_said_in_one_line(shell, command):
    line = f"yes 0-0 | head -3000 > long; (ulimit -f 4; {command} > out)"

    done = shell(line, JAX_COMPILATION_CACHE_DIR="")  # the limit is for all files

    message = "nmt: standard output: cannot be written (File too large)\n"
    assert (done.returncode, done.stderr) == (2, message)


def test_a_reader_that_has_enough_ends_the_command_without_a_word(shell):
    done = shell("set -o pipefail; $nmt translate $run <(yes a b | head -3000) | head -1")

    assert (done.returncode, done.stdout, done.stderr) == (0, "a b\n", "")


@pytest.mark.parametrize(
    ("command", "line"),
    [
        ("symmetrize in in", "0-0"),
        pytest.param("translate $run in", "a b", marks=pytest.mark.slow),
    ],
)
def test_a_reader_of_a_file_that_has_enough_ends_the_command_too(shell, command, line):
    lines = f"yes {line} | head -30000 > in"  # more than a pipe holds

    done = shell(f"{lines}; $nmt {command} -o >(head -1 >&2)")

    assert (done.returncode, done.stderr) == (0, f"{line}\n")


def test_each_line_is_answered_before_the_next_is_written(copy_run):
    command = [*NMT, "translate", str(copy_run)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as service:
        for line in (b"a b c\n", b"\n", b"d e\n", b"h\n"):
            service.stdin.write(line)
            service.stdin.flush()
            assert service.stdout.readline() == line
        service.stdin.close()
        assert service.wait(timeout=30) == 0


def answered(path):
    """Returns the first lines of a compressed file that goes on, as soon as there are some."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        time.sleep(0.05)
        try:
            with gzip.open(path) as file:
                return file.read1()
        except (EOFError, FileNotFoundError):
            continue
    return b""


def test_answers_go_at_once_to_a_file_of_any_kind(nmt, copy_run, tmp_path):
    """A compressed stream is flushed too: what has come can be read."""
    read, write = os.pipe()

    def ask():
        with os.fdopen(write, "wb") as questions:
            questions.write(b"a b\n")
            questions.flush()
            return answered(tmp_path / "out.gz.part")

    with ThreadPoolExecutor(1) as other:
        asked = other.submit(ask)
        done = nmt("translate", copy_run, f"/dev/fd/{read}", "-o", tmp_path / "out.gz")
        os.close(read)

    assert (done[0], asked.result()) == (0, b"a b\n")


# --- What is written


def test_json_has_all_that_is_known_of_a_line(nmt, copy_run, text):
    _, out, _ = nmt("translate", copy_run, text("in.txt", "a b c", "", "d"), "--json")

    first, empty, last = map(json.loads, out.splitlines())
    assert list(first) == [
        "id", "source", "source_pieces", "source_words",
        "text", "score", "log_prob", "pieces", "words", "piece_log_probs", "word_log_probs",
        "alignment",
    ]  # fmt: skip
    assert first["source_pieces"] == first["pieces"] == ["▁a", "▁b", "▁c", "</s>"]
    assert first["source_words"] == first["words"] == ["a", "b", "c"]
    assert first["alignment"] == [[0, 0], [1, 1], [2, 2]]
    assert first["word_log_probs"] == first["piece_log_probs"][:3]
    assert sum(first["piece_log_probs"]) == pytest.approx(first["log_prob"])
    assert first["score"] == pytest.approx(first["log_prob"] / 4)  # the average, by default
    assert empty == {
        "id": 1, "source": "", "source_pieces": [], "source_words": [],
        "text": "", "score": 0.0, "log_prob": 0.0, "pieces": [], "words": [],
        "piece_log_probs": [], "word_log_probs": [], "alignment": [],
    }  # fmt: skip
    assert (last["id"], last["text"]) == (2, "d")


def test_json_has_a_list_of_the_n_best(nmt, copy_run, text):
    command = ("translate", copy_run, text("in.txt", "a b c"), "--beam", 3, "--json", "--n-best")
    best, ranked = (json.loads(nmt(*command, count)[1]) for count in (1, 3))

    assert list(ranked) == ["id", "source", "source_pieces", "source_words", "translations"]
    assert [each["text"] for each in best["translations"]] == ["a b c"]
    assert ranked["translations"][0]["text"] == "a b c"
    scores = [each["score"] for each in ranked["translations"]]
    assert 1 < len(scores) <= 3
    assert scores == sorted(scores, reverse=True)


def read_as_moses_does(line):
    """Follows mosesdecoder/mert/Data.cpp: `loadNBest`, `InitFeatureMap` and `AddFeatures`."""
    number, sentence, features, *rest = line.split("|||")
    names, values = [], []
    for token in features.split():
        if token.endswith("="):
            assert "_" not in token  # it would be a sparse feature
            names.append(token[:-1])
        else:
            values.append(float(token))
    return int(number), sentence.strip(), dict(zip(names, values, strict=True)), *map(float, rest)


@pytest.mark.slow
def test_moses_reads_the_n_best_list_with_links_line_by_line(shell, tmp_path):
    done = shell("$nmt translate $run in.txt --n-best 3 --beam 3 --alignments links.txt")
    shell("$nmt translate $run in.txt --n-best 3 --beam 3 --alignments a.npz")

    entries = [read_as_moses_does(line) for line in done.stdout.splitlines()]
    links = (tmp_path / "links.txt").read_text().splitlines()
    assert [number for number, *_ in entries] == sorted(number for number, *_ in entries)
    assert {number for number, *_ in entries} == {0, 1, 2}
    assert len(links) == len(entries)
    assert entries[0][1] == "a b c"
    assert links[0] == "0-0 1-1 2-2"
    for _, text, features, score in entries:
        pieces = len(text.split()) + 1 if text else 1
        assert score == pytest.approx(features["logprob"] / pieces, abs=1e-3)
    for (_, text, *_), line in zip(entries, links, strict=True):
        assert [int(link.split("-")[1]) for link in line.split()] == list(range(len(text.split())))
    with np.load(tmp_path / "a.npz") as arrays:
        ranks = {0: 0}
        names = {name.removeprefix("target_") for name in arrays if name.startswith("target_")}
        for number, text, *_ in entries:
            rank = ranks.setdefault(number, 0)
            ranks[number] = rank + 1
            spelled = "".join(arrays[f"target_{number}_{rank}"]).replace("▁", " ")
            assert spelled.removesuffix("</s>").strip() == text
        assert names == {f"{n}_{rank}" for n, ranked in ranks.items() for rank in range(ranked)}


# --- Terminals


def read_until(terminal, *wanted, seconds=60):
    """Returns what a terminal shows until it has shown what is wanted, or else is closed."""
    shown, deadline = b"", time.monotonic() + seconds
    while not (wanted and wanted[0] in shown) and time.monotonic() < deadline:
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                shown = (shown + os.read(terminal, 4096)).replace(b"\r\n", b"\n")
            except OSError:  # closed
                break
    return shown


@pytest.fixture
def terminal():
    ours, theirs = pty.openpty()
    yield ours, theirs
    os.close(ours)


def test_a_terminal_has_a_prompt_and_control_d_ends_it(copy_run, terminal):
    ours, theirs = terminal
    command = [*NMT, "translate", str(copy_run)]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs) as service:
        os.close(theirs)

        started = read_until(ours, b"> ")
        os.write(ours, b"a b\n")
        answered = read_until(ours, b"a b\na b\n> ")
        os.write(ours, b"\x04")

        assert started == b"nmt: type a sentence and press Enter; Ctrl-D ends\n> "
        assert answered == b"a b\na b\n> "
        assert read_until(ours) == b"\n"
        assert service.wait(timeout=30) == 0


@pytest.fixture
def interruptible():
    """Lets commands notice an interrupt, which a shell ignores for what runs in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_a_command_that_waits_for_a_line_can_be_interrupted(copy_run, terminal):
    ours, theirs = terminal
    command = [*NMT, "translate", str(copy_run)]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs) as service:
        os.close(theirs)
        read_until(ours, b"> ")

        service.send_signal(signal.SIGINT)

        assert service.wait(timeout=30) == 130
        assert read_until(ours, seconds=5) == b""


@pytest.mark.slow
@pytest.mark.parametrize(("lines", "bar"), [(1100, True), (3, False)])
def test_a_long_file_has_a_bar_in_a_terminal(copy_run, terminal, tmp_path, lines, bar):
    ours, theirs = terminal
    (tmp_path / "long.txt").write_text("a\n" * lines)  # a window has 1,024
    command = [*NMT, "translate", str(copy_run), str(tmp_path / "long.txt"), "--beam", "1"]
    with (tmp_path / "out").open("wb") as out:
        environment = {**os.environ, "TERM": "xterm"}
        with subprocess.Popen(command, stdout=out, stderr=theirs, env=environment) as service:
            os.close(theirs)
            shown = read_until(ours)
    assert service.returncode == 0

    assert (b"1100/1100" in shown, shown == b"") == (bar, not bar)
    assert (tmp_path / "out").read_text() == "a\n" * lines


# --- Locales

ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("$nmt translate $run ü.txt --json", marks=pytest.mark.slow),
        "$nmt translate $run ü.txt --json -o ö.txt; cat ö.txt",
    ],
)
def test_text_is_utf_8_whatever_the_locale(shell, tmp_path, line):
    (tmp_path / "ü.txt").write_text("ü 你好 עברית\n", encoding="utf-8")

    done = shell(line, **ASCII)

    assert (json.loads(done.stdout)["source"], done.returncode) == ("ü 你好 עברית", 0)


@pytest.mark.slow
def test_what_is_typed_and_shown_is_utf_8_whatever_the_locale(shell):
    drawn = shell("$nmt plot $run 'a ü' --target 'a 你好' -o map.png && test -s map.png", **ASCII)
    helped = shell("$nmt translate --help", **ASCII)

    assert (drawn.stdout, drawn.returncode) == ("a 你好\n", 0)
    assert "schläft" in helped.stdout


@pytest.mark.parametrize(
    "command",
    ["symmetrize ü.txt", pytest.param("translate $run", marks=pytest.mark.slow)],
)
def test_a_file_name_that_the_locale_does_not_know_is_named(shell, command):
    done = shell(f"$nmt {command} ü.txt", **ASCII)

    assert done.returncode == 2
    assert done.stderr.startswith("nmt: \\udcc3\\udcbc.txt: no such file")
