"""A check before the first step: all processes must train on the same, in the same way."""

import hashlib
import json
import socket
import time
from collections.abc import Mapping

import jax

from nmt.data import lanes
from nmt.data.tokenizers import Tokenizers
from nmt.errors import ClusterError
from nmt.processes import ProcessGroup
from nmt.run import Run
from nmt.training.contents import Contents
from nmt.version import __version__

CACHED = 60  # seconds after which network file systems show what another host has written


def check(run: Run, contents: Contents, tokenizers: Tokenizers) -> None:
    """Checks that the processes of a run agree; a process alone agrees with itself.

    Raises:
        ClusterError: one of them has something else than the main one.
    """
    if run.processes.count == 1:
        return
    saved, data = run.progress("last"), run.config.data
    compare(
        run.processes,
        {
            "version of nmt or jax": f"{__version__} {jax.__version__}",
            "number of devices": str(jax.local_device_count()),
            "configuration": hashlib.sha256(run.config.model_dump_json().encode()).hexdigest(),
            "training corpus": contents.training,
            "name or size of a training file": str(lanes.sizes(data) if data.stream else None),
            "validation corpus": contents.validation,
            "tokenizer": tokenizers.fingerprint,
            "run folder": "new" if saved is None else str(saved.batches),
        },
    )


def check_folder(run: Run) -> None:
    """Checks that all processes see the run that the main one has just created.

    Raises:
        ClusterError: one of them does not.
    """
    run.processes.barrier()
    end = time.monotonic() + CACHED
    while not run.started and time.monotonic() < end:
        time.sleep(0.1)
    if len(set(run.processes.gather(str(run.started).encode()))) > 1:
        raise ClusterError(
            f"{run.path}: what process 0 has written there is not seen by all other processes; "
            "give run=... a folder that they share"
        )


def compare(processes: ProcessGroup, own: Mapping[str, str]) -> None:
    """Checks that what each name stands for is the same in all processes.

    Raises:
        ClusterError: it is not; the message has the names, the process and its host.
    """
    told = json.dumps([socket.gethostname(), dict(own)]).encode()
    (main, expected), *others = map(json.loads, processes.gather(told))
    for number, (host, found) in enumerate(others, start=1):
        if differing := [name for name in own if found[name] != expected[name]]:
            raise ClusterError(
                f"process {number} on {host} has another {', '.join(differing)} than process 0 on "
                f"{main}; give all of them the same command and the same files, and the run a "
                "folder that they share"
            )
