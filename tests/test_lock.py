"""The lock of a run folder: held by one process, and never left behind by a dead one."""

import errno
import os
import signal
import subprocess
import sys

import pytest

from nmt import lock
from nmt.errors import RunError

HOLDER = """
import sys, time
from pathlib import Path
from nmt import lock

with lock.hold(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "lock")], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_second_process_is_refused_with_the_number_of_the_first(tmp_path, holder):
    refused = (
        rf"{tmp_path}: the run folder is in use by another training \(process {holder.pid} on .+\)"
        r"; wait for it, stop it, or name another folder with run="
    )

    with pytest.raises(RunError, match=refused), lock.hold(tmp_path / "lock"):
        pass


def test_the_lock_of_a_dead_process_is_taken_over(tmp_path, holder):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert str(holder.pid) in (tmp_path / "lock.holder").read_text()

    named = rf"the previous training \(process {holder.pid} on .+\) did not end cleanly; continuing"
    with pytest.warns(UserWarning, match=named), lock.hold(tmp_path / "lock"):
        assert f"process {os.getpid()} on" in (tmp_path / "lock.holder").read_text()


def test_the_lock_of_another_boot_is_taken_over(tmp_path):
    # Its number may belong to somebody else by now: here to the first process of the system.
    (tmp_path / "lock.holder").write_text("process 1 on elsewhere\n")

    with (
        pytest.warns(UserWarning, match=r"previous training \(process 1 on elsewhere\) did not"),
        lock.hold(tmp_path / "lock"),
    ):
        pass


@pytest.mark.parametrize("end", [None, RunError, KeyboardInterrupt, SystemExit])
def test_whoever_ends_in_order_leaves_no_name(tmp_path, end):
    try:
        with lock.hold(tmp_path / "lock"):
            if end is not None:
                raise end
    except (RunError, KeyboardInterrupt, SystemExit):
        pass

    assert not (tmp_path / "lock.holder").exists()
    with lock.hold(tmp_path / "lock"):
        pass


def test_a_file_system_without_locks_is_worked_on_with_a_warning(tmp_path, monkeypatch):
    fcntl = pytest.importorskip("fcntl")

    def refuse(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)

    with (
        pytest.warns(UserWarning, match=r"the file system has no locks \(No locks available\)"),
        lock.hold(tmp_path / "lock"),
    ):
        pass


def test_the_lock_of_another_user_is_no_lack_of_locks(tmp_path, monkeypatch):
    (tmp_path / "lock").touch()

    def refuse(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)  # root may open everything

    with (
        pytest.raises(RunError, match=rf"^{tmp_path}/lock: belongs to another user, who may be u"),
        lock.hold(tmp_path / "lock"),
    ):
        pass


def test_others_may_open_the_lock(tmp_path):
    with lock.hold(tmp_path / "lock"):
        assert (tmp_path / "lock").stat().st_mode & 0o066 == 0o066


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "lock.holder").symlink_to("/proc/none/holder")  # also root cannot write there

    with (
        pytest.raises(RunError, match=rf"^{tmp_path}: cannot be written \(.+\); name another"),
        lock.hold(tmp_path / "lock"),
    ):
        pass
