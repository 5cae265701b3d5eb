"""What processes tell each other, and what they say when they cannot."""

import json
import signal
import socket
import sys
import time

import pytest
from together import free_port

from nmt import hosts

MEMBER = """
import json, sys, time
from nmt import hosts

address, *numbers = sys.argv[1:]
count, number = map(int, numbers) if numbers else (None, None)
with hosts.joined(address or None, processes=count, process=number) as group:
    number = group.index
    time.sleep(0.1 * number)
    came = time.time()
    group.barrier()
    went = time.time()
    flags = [group.any(number == holder) for holder in (0, None, 1)]
    told = [group.gather(value).__repr__() for value in (b"", b"x" * number, b"ab")]
    print(json.dumps([group.is_main, group.count, flags, told, came, went]))
    rows = [group.rows(each) for each in (0, 6, 48)]
    print(json.dumps([[part.start, part.stop] for part in rows]))
"""

# As `nmt`, but it waits for the others no longer than three seconds.
IMPATIENT = "from nmt import cli, hosts; hosts.START = 3; cli.main()"


def addressed(number, port):
    """The arguments of one of three processes, and its environment."""
    return [f"127.0.0.1:{port}", "3", str(number)], {}


def of_slurm(number, port):
    variables = {
        "SLURM_JOB_ID": "1",
        "SLURM_STEP_NODELIST": "localhost,node[2-3]",
        "SLURM_NTASKS": "3",
        "SLURM_PROCID": str(number),
        "SLURM_LOCALID": "0",
        "JAX_COORDINATOR_PORT": str(port),
    }
    return [""], variables


def of_open_mpi(number, port):
    variables = {
        "OMPI_MCA_orte_hnp_uri": "4096.0;tcp://127.0.0.1:1",
        "OMPI_COMM_WORLD_SIZE": "3",
        "OMPI_COMM_WORLD_RANK": str(number),
        "OMPI_COMM_WORLD_LOCAL_RANK": "0",
        "JAX_COORDINATOR_PORT": str(port),
    }
    return [""], variables


@pytest.mark.parametrize(
    "found",
    [addressed, *(pytest.param(each, marks=pytest.mark.slow) for each in (of_slurm, of_open_mpi))],
)
def test_each_knows_what_all_have_said(processes, found):
    port = free_port()
    arguments, variables = zip(*(found(number, port) for number in range(3)), strict=True)
    commands = [[sys.executable, "-c", MEMBER, *each] for each in arguments]
    processes.start(*commands, variables=variables)
    assert processes.ended() == [0, 0, 0], processes.said

    answers, rows = zip(
        *(map(json.loads, each.splitlines()[-2:]) for each in processes.said), strict=True
    )

    main, counts, flags, told, came, went = zip(*answers, strict=True)
    assert main == (True, False, False)
    assert counts == (3, 3, 3)
    assert set(map(tuple, flags)) == {(True, False, True)}
    expected = [b"", b"", b""], [b"", b"x", b"xx"], [b"ab", b"ab", b"ab"]
    assert set(map(tuple, told)) == {tuple(map(repr, expected))}
    assert max(came) <= min(went)
    for number, parts in zip((0, 6, 48), zip(*rows, strict=True), strict=True):
        assert [row for start, stop in parts for row in range(start, stop)] == [*range(number)]


@pytest.mark.slow
@pytest.mark.parametrize("number", [0, 1])
def test_a_process_that_finds_no_other_ends_with_one_line(processes, tmp_path, number):
    (tmp_path / "config.yaml").write_text("data: {train: here, validation: there}")
    group = ["--coordinator", f"127.0.0.1:{free_port()}", "--processes", "2"]
    command = [sys.executable, "-c", IMPATIENT, "train", "config.yaml", *group]

    processes.start([*command, "--process", str(number)])

    assert processes.ended() == [-signal.SIGABRT]
    assert processes.errors(0) == [hosts.LOST]


# As `nmt` from a terminal, wherever the tests run.
OF_A_TERMINAL = """
import signal
from nmt import cli

signal.signal(signal.SIGINT, signal.default_int_handler)
cli.main()
"""


@pytest.mark.slow
def test_ctrl_c_ends_a_process_that_waits_for_the_others(processes, tmp_path):
    (tmp_path / "config.yaml").write_text("data: {train: here, validation: there}")
    port = free_port()
    group = ["--coordinator", f"127.0.0.1:{port}", "--processes", "2", "--process", "0"]
    command = [sys.executable, "-c", OF_A_TERMINAL, "train", "config.yaml", *group]

    def is_open():
        with socket.socket() as found:
            return found.connect_ex(("127.0.0.1", port)) == 0

    [process] = processes.start(command)
    processes.until(is_open)
    time.sleep(1)  # it opens the port, and then waits
    process.send_signal(signal.SIGINT)

    assert process.wait(timeout=10) == -signal.SIGINT


def test_without_a_cluster_none_is_joined(processes, tmp_path):
    (tmp_path / "config.yaml").write_text("data: {train: here, validation: there}")

    processes.start([sys.executable, "-m", "nmt", "train", "config.yaml", "--distributed"])

    assert processes.ended() == [2]
    [line] = processes.errors(0)
    assert line.startswith("--distributed: no cluster is found here, neither Slurm nor Open MPI")
