"""A check before the first step: all processes must train on the same, in the same way."""

import hashlib
import json
import socket
from collections.abc import Mapping

import datasets
import jax

from nmt.data import fingerprints
from nmt.data.tokenizer import Tokenizers
from nmt.errors import ClusterError
from nmt.processes import ProcessGroup
from nmt.run import Run
from nmt.version import __version__


def check(
    run: Run, text: datasets.Dataset, validation: datasets.Dataset, tokenizers: Tokenizers
) -> None:
    """Checks that the processes of a run agree; a process alone agrees with itself.

    Raises:
        ClusterError: one of them has something else than the main one.
    """
    if run.processes.count == 1:
        return
    saved = run.progress("last")
    compare(
        run.processes,
        {
            "version of nmt or jax": f"{__version__} {jax.__version__}",
            "number of devices": str(jax.local_device_count()),
            "configuration": hashlib.sha256(run.config.model_dump_json().encode()).hexdigest(),
            "training corpus": fingerprints.of_content(text),
            "validation corpus": fingerprints.of_content(validation),
            "tokenizer": tokenizers.fingerprint,
            "run folder": "new" if saved is None else str(saved.batches),
        },
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
