"""A corpus by a real Ray on this machine: what it writes is what the plain commands write."""

import contextlib
import gzip
import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nmt.cluster import pool

ROOT = Path(__file__).parents[2]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("ray") is None, reason="the extra nmt[ray] is not installed"
    ),
]


def command(*arguments, **options):
    """Starts nmt in a process of its own: Ray forks, which JAX of the tests does not survive."""
    return subprocess.Popen(
        [sys.executable, "-m", "nmt", *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def nmt(*arguments):
    """Returns the exit code and standard error."""
    with command(*arguments) as process:
        _, errors = process.communicate(timeout=300)
    return process.returncode, errors.splitlines()


def letters(lines, *, seed):
    """Lines of up to six letters, another one for each number."""
    return [
        " ".join("abcdefgh"[(i * k + seed) % 8] for k in range(1, 2 + i % 6)) for i in range(lines)
    ]


@pytest.fixture
def corpus(tmp_path, monkeypatch):
    """Shards of several windows in a folder, where the command is given."""
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()
    for number in range(8):
        text = "".join(f"{line}\n" for line in letters(300, seed=number))
        Path(f"in/{number}.de.gz").write_bytes(gzip.compress(text.encode()))
    return sorted(Path("in").iterdir())


SETTINGS = ["decoding.batch=1", "decoding.beam=2"]  # windows of 64 lines
RAY = ["--ray", "local", "--actors", 2]


def plain(run, shard, *options):
    """Returns what the plain command writes of a shard."""
    output = Path("plain", shard.name)
    output.parent.mkdir(exist_ok=True)
    assert nmt("translate", run, shard, "-o", output, *SETTINGS, *options)[0] == 0
    return output.read_bytes()


def descendants(process):
    """Returns the processes that a process has started, and those that they have, by their ids."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            title = (path / "cmdline").read_bytes().decode(errors="replace")
            parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:  # it has ended
            continue
        parents[int(path.name)] = parent, title
    found = {process.pid: ""}
    for _ in range(4):
        found |= {pid: title for pid, (parent, title) in parents.items() if parent in found}
    return found


def listening(processes):
    """Returns the addresses at which processes listen, in hexadecimal, as Linux writes them."""
    sockets = set()
    for pid in processes:
        with contextlib.suppress(OSError):
            links = [os.readlink(path) for path in Path(f"/proc/{pid}/fd").iterdir()]
            sockets |= {link.strip("socket:[]") for link in links if link.startswith("socket:")}
    rows = [
        row.split()
        for name in ("tcp", "tcp6")
        for row in Path("/proc/net", name).read_text().splitlines()[1:]
    ]
    return {row[1].split(":")[0] for row in rows if row[3] == "0A" and row[9] in sockets}


def wait_for(condition):
    while not condition():
        time.sleep(0.05)


@pytest.fixture
def started(copy_run, corpus):
    """A translation of a corpus, of which the first shard is finished."""
    done = Path("out/0.de.gz")
    with command(*translation(copy_run)) as process:
        wait_for(lambda: done.exists() or process.poll() is not None)
        assert process.poll() is None
        yield process
        process.kill()


def translation(run):
    return ["translate", run, "--input", "in/*.de.gz", "--output", "out", *SETTINGS, *RAY]


def test_each_shard_becomes_what_the_plain_command_makes_of_it(copy_run, corpus):
    long = " ".join("abcdefgh" * 20)
    mixed = Path("in/mixed.txt")
    mixed.write_bytes(f"a b\r\n\nc \xff d\n{long}\n".encode("latin-1"))
    Path("in/empty.txt").write_bytes(b"")
    Path("in/exact.txt").write_text("".join(f"{line}\n" for line in letters(64, seed=1)))
    Path("in/tsv.tsv").write_text("a b c\tb\na b\n")
    texts = [Path("in", name) for name in ("empty.txt", "exact.txt", "tsv.tsv")]
    shards = [*corpus[:2], mixed, *texts]
    given = [each for shard in shards for each in ("--input", shard)]
    options = ["decoding.max_pieces=40", "decoding.split=never", "--n-best", 2]

    code, errors = nmt(
        *("translate", copy_run, *given, "-o", "out", "--alignments", "links"),
        *(*options, *SETTINGS, *RAY),
    )

    assert code == 0
    for shard in shards:
        links = Path(f"links.{shard.name}")
        assert Path("out", shard.name).read_bytes() == plain(
            copy_run, shard, "--alignments", links, *options
        )
        assert Path("links", shard.name).read_bytes() == links.read_bytes()
    _, said = nmt("translate", copy_run, mixed, "-o", "x", *options, *SETTINGS)
    assert len(said) == 2
    assert said[0].startswith("nmt: warning: in/mixed.txt, line 3: not UTF-8")
    said[1] = said[1].replace("warning: line 4: ", "warning: in/mixed.txt: line 4: ")
    assert said == [each for each in errors if "in/mixed.txt" in each]
    assert {"out/empty.txt: 0 lines", "out/exact.txt: 64 lines"} <= set(errors)


def test_tables_are_translated_and_what_cannot_be_read_holds_nothing_up(copy_run, corpus):
    lines = letters(100, seed=3)
    pq.write_table(pa.table({"de": lines, "n": range(100)}), "in/a.parquet", row_group_size=30)
    objects = "".join(json.dumps({"de": line}) + "\n" for line in lines)
    Path("in/b.jsonl.gz").write_bytes(gzip.compress(objects.encode()))
    Path("in/c.jsonl").write_text(objects + '{"de": 3}\n')
    Path("in/d.jsonl.gz").write_bytes(gzip.compress(objects.encode())[:-20])
    Path("lines.txt").write_text("".join(f"{line}\n" for line in lines))
    tables = ["--input", "in/*.parquet", "--input", "in/*.jsonl*"]

    code, errors = nmt(
        "translate", copy_run, *tables, "-o", "out", "--column", "de", *SETTINGS, *RAY
    )

    assert code == 2
    expected = plain(copy_run, Path("lines.txt"))
    assert Path("out/a.parquet.txt").read_bytes() == expected
    assert Path("out/b.jsonl.gz.txt").read_bytes() == expected
    assert "nmt: in/c.jsonl, line 101, 'de': 3 where text was expected" in errors
    assert errors[-1].startswith("nmt: in/d.jsonl.gz: cannot be read after line ")
    assert not Path("out/c.jsonl.txt").exists()
    assert not Path("out/d.jsonl.gz.txt").exists()


def test_a_process_that_is_killed_is_replaced_and_nothing_is_lost_or_doubled(
    copy_run, corpus, started
):
    workers = [pid for pid, title in descendants(started).items() if "Worker)" in title]
    assert len(workers) == 2

    os.kill(workers[0], signal.SIGKILL)
    _, errors = started.communicate(timeout=300)

    assert started.returncode == 0, errors
    for shard in corpus:
        assert Path("out", shard.name).read_bytes() == plain(copy_run, shard)


def test_a_command_that_is_killed_goes_on_without_what_is_finished(copy_run, corpus, started):
    everyone = descendants(started)
    started.kill()
    started.communicate()
    finished = {path: path.stat().st_mtime_ns for path in Path("out").glob("*.gz")}
    assert 0 < len(finished) < len(corpus)

    code, errors = nmt(*translation(copy_run))

    assert code == 0
    assert f"{len(finished)} of 8 shards are finished" in errors
    assert {path: path.stat().st_mtime_ns for path in finished} == finished
    for shard in corpus:
        assert Path("out", shard.name).read_bytes() == plain(copy_run, shard)
    assert [pid for pid in everyone if Path(f"/proc/{pid}").exists()] == []

    again, errors = nmt(*translation(copy_run), "decoding.length_penalty.alpha=0.5")
    assert again == 2
    assert errors[-1].startswith("nmt: out/0.de.gz: was made with another decoding.length_penalty;")


def test_pairs_are_aligned_and_scored_as_by_the_plain_commands(copy_run, corpus):
    Path("to").mkdir()
    for shard in corpus[:2]:
        Path("to", shard.name).write_bytes(shard.read_bytes())
    sides = ["--source", "in/[01].*", "--target", "to/*"]
    options = {"align": ["--threshold", "0.2"], "score": ["--by", "word"]}

    for name, more in options.items():
        assert nmt(name, copy_run, *sides, "-o", name, *more, *SETTINGS[:1], *RAY)[0] == 0
        for shard in corpus[:2]:
            sides_of_one = ["--source", shard, "--target", Path("to", shard.name)]
            code, _ = nmt(name, copy_run, *sides_of_one, "-o", "p.gz", *more, *SETTINGS[:1])
            assert code == 0
            assert Path("p.gz").read_bytes() == Path(name, shard.name).read_bytes()


@pytest.fixture
def cluster(monkeypatch):
    """The address of a cluster of one machine with two CPUs, which listens on 127.0.0.1 only."""
    for name, value in {**pool.QUIET, **pool.ALONE, pool.TOKEN: "secret of this test" * 2}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    ray = Path(sys.executable).with_name("ray")
    start = [ray, "start", "--head", "--block", f"--port={port}", "--num-cpus=2"]
    with subprocess.Popen(
        [*start, "--include-dashboard=false"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert any("Ray runtime started" in line for line in process.stdout)
        yield f"127.0.0.1:{port}"
        process.terminate()


def test_a_cluster_translates_with_as_many_processes_as_it_has_room_for(copy_run, corpus, cluster):
    command = ["translate", copy_run, "--input", "in/0.*", "-o", "out", *SETTINGS, "--ray", cluster]

    code, errors = nmt(*command, "--actors", 2)

    assert code == 2
    assert errors[-1] == (
        f"nmt: --ray {cluster}: 2 actors of 1 core, and one CPU to read, need 3 CPUs; there are 2 "
        "on 1 machine, with room for 1: give --actors 1, or add machines"
    )
    assert nmt(*command)[0] == 0
    assert Path("out/0.de.gz").read_bytes() == plain(copy_run, corpus[0])


def test_ray_on_this_machine_listens_to_nobody_else_and_writes_no_token(
    copy_run, corpus, monkeypatch, tmp_path
):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    with command(*translation(copy_run)) as process:
        wait_for(lambda: any("Worker)" in title for title in descendants(process).values()))
        addresses = listening(descendants(process))
        process.kill()

    assert addresses == {"0100007F", "0000000000000000FFFF00000100007F"}  # 127.0.0.1
    assert not Path("home/.ray").exists()


POISON = """
import os, sys
from pathlib import Path
from nmt.cluster import corpus, pool, work
from nmt.cluster.job import Job
from nmt.errors import DataError

def read(sources):
    yield from range(30)

def write(loaded, rows, before):
    if 15 in rows:
        os.kill(os.getpid(), 9)
    return [str(rows)]

(shard,) = corpus.shards([Path(sys.argv[1])], folders=[Path("out")])
try:
    with pool.opened(pool.Pool("local", 2)) as opened:
        work.process([shard], Job(read, dict, write, 10), opened, how={})
except DataError as error:
    print(error)
"""


def test_lines_that_kill_each_process_end_the_command(corpus):
    done = subprocess.run(
        [sys.executable, "-c", POISON, corpus[0]],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=200,
    )

    assert done.stdout.splitlines()[-1].startswith(
        "--ray local: a process died again and again at the same lines, as it does without enough"
    )
    assert not Path("out", corpus[0].name).exists()
