"""Real processes that train together on 127.0.0.1; none of them outlives its test."""

import json
import os
import socket
import subprocess
import sys
import time

import numpy as np
import tiny
import yaml
from safetensors.numpy import load_file

LIMIT = 400  # seconds for all that a test starts: a hang is a failure


class Training:
    """`nmt train` in some processes, each with a configuration and a file of what it says."""

    def __init__(self, folder):
        self.folder, self.processes, self._count = folder, [], 0

    def start(self, *trees, devices=1):
        """Starts a process for each tree of a configuration, all in one group."""
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            port = found.getsockname()[1]
        self._said = []
        for number, tree in enumerate(trees):
            arguments = ["--coordinator", f"127.0.0.1:{port}", "--processes", str(len(trees))]
            group = [*arguments, "--process", str(number)] if len(trees) > 1 else []
            path = self.folder / f"{self._count}.yaml"
            path.write_text(yaml.safe_dump(tree), encoding="utf-8")
            self.run([sys.executable, "-m", "nmt", "train", str(path), *group], devices=devices)
        self.deadline = time.monotonic() + LIMIT
        return self

    def run(self, command, *, devices=1):
        """Starts one process."""
        said = self.folder / f"{self._count}.txt"
        with said.open("w") as out:
            process = subprocess.Popen(command, stdout=out, stderr=out, env=environment(devices))
        self.processes.append(process)
        self._said.append(said)
        self._count += 1

    def until(self, condition):
        """Waits until a condition holds; none of the processes may end before."""
        while not condition():
            assert all(each.poll() is None for each in self.processes[-len(self._said) :]), (
                self.said
            )
            assert time.monotonic() < self.deadline, self.said
            time.sleep(0.01)

    def ended(self):
        """Waits for the ends of those started last, and returns their exit codes."""
        last = self.processes[-len(self._said) :]
        return [each.wait(timeout=max(1, self.deadline - time.monotonic())) for each in last]

    @property
    def said(self):
        """What each of those started last has printed so far."""
        return [path.read_text() for path in self._said]


def environment(devices):
    """The settings of the tests, with another number of virtual devices."""
    flags = [each for each in os.environ["XLA_FLAGS"].split() if "device_count" not in each]
    flags.append(f"--xla_force_host_platform_device_count={devices}")
    return {**os.environ, "XLA_FLAGS": " ".join(flags)}


def settings(run, pairs, **training):
    """The tree of a tiny network: with accumulation, guided alignment and subword sampling."""
    often = {"max_epochs": None, "log_every": 1, "validate_every": 25, "validation_beam": 1}
    made = tiny.tree(run, pairs, vocabulary=100, gradient_accumulation=2, **often | training)
    made["data"] |= {
        "train": {"path": str(pairs / "train"), "alignments": str(pairs / "train.links")},
        "max_length": 48,
    }
    made["tokenizer"]["sampling"] = {}
    made["decoding"] |= {"batch": 8}
    return made


def parameters(run, batches):
    """The parameters of a checkpoint by their names."""
    return load_file(run / "checkpoints" / "last" / str(batches) / "params.safetensors")


def records(run, name):
    """The values of that name in the log."""
    lines = (run / "metrics.jsonl").read_text().splitlines()
    return [record[name] for record in map(json.loads, lines) if name in record]


def assert_equal(run, other, *, batches):
    """Holds two trainings equal, but for the order of sums in floating-point numbers."""
    one, two = parameters(run, batches), parameters(other, batches)
    assert one.keys() == two.keys()
    for name in one:
        np.testing.assert_allclose(one[name], two[name], rtol=0, atol=2e-4, err_msg=name)
    for name in ("train/loss", "train/gradient_norm", "validation/perplexity"):
        np.testing.assert_allclose(records(run, name), records(other, name), rtol=1e-4)
