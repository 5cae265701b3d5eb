"""Real processes that train together on 127.0.0.1, and what their trainings have in common."""

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

DIVISIBLE = 12  # sentences of a batch, by two, three and four processes: all have the same batches
LIMIT = 400  # seconds for all that is started at once: a hang is a failure


class Processes:
    """Some processes that are started together, each with a file of what it says."""

    def __init__(self, folder):
        self.folder, self.ever = folder, []
        self._now, self._said = [], []

    def train(self, *trees, devices=1, folders=None):
        """Starts a process of `nmt train` for each tree, all in one group, each in its folder."""
        paths = []
        for tree in trees:
            paths.append(self.folder / f"{len(self.ever) + len(paths)}.yaml")
            paths[-1].write_text(yaml.safe_dump(tree), encoding="utf-8")
        command = [sys.executable, "-m", "nmt", "train"]
        if len(trees) == 1:
            return self.start([*command, str(paths[0])], devices=devices)
        address = ["--coordinator", f"127.0.0.1:{free_port()}", "--processes", str(len(trees))]
        commands = [
            [*command, str(path), *address, "--process", str(number)]
            for number, path in enumerate(paths)
        ]
        return self.start(*commands, devices=devices, folders=folders)

    def start(self, *commands, devices=1, folders=None, variables=None):
        """Starts processes, with so many virtual devices each, and variables of their own."""
        self._now, self._said = [], []
        self._deadline = time.monotonic() + LIMIT
        folders = folders or [self.folder] * len(commands)
        variables = variables or [{}] * len(commands)
        for command, folder, own in zip(commands, folders, variables, strict=True):
            said = self.folder / f"{len(self.ever)}.txt"
            with said.open("w") as out:
                env = environment(devices) | own
                process = subprocess.Popen(command, stdout=out, stderr=out, env=env, cwd=folder)
            self.ever.append(process)
            self._now.append(process)
            self._said.append(said)
        return self._now

    def until(self, condition):
        """Waits until a condition holds; no process may end before."""
        while not condition():
            assert all(each.poll() is None for each in self._now), self.said
            assert time.monotonic() < self._deadline, self.said
            time.sleep(0.01)

    def ended(self):
        """Waits for the end of each, and returns the exit codes."""
        return [each.wait(max(1, self._deadline - time.monotonic())) for each in self._now]

    @property
    def said(self):
        """What each has printed so far."""
        return [path.read_text() for path in self._said]

    def errors(self, number):
        """The lines of an error that a process has printed, once there is one."""
        end = time.monotonic() + 10  # the last word comes from a filter, after the end
        while "nmt: " not in self.said[number] and time.monotonic() < end:
            time.sleep(0.01)
        return self.said[number].partition("nmt: ")[2].splitlines()


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def environment(devices):
    """The settings of the tests, with another number of virtual devices."""
    flags = [each for each in os.environ["XLA_FLAGS"].split() if "device_count" not in each]
    flags.append(f"--xla_force_host_platform_device_count={devices}")
    return {**os.environ, "XLA_FLAGS": " ".join(flags)}


def settings(run, pairs, **training):
    """The tree of a tiny network: with accumulation, guided alignment and subword sampling."""
    often = {"max_epochs": None, "log_every": 1, "validate_every": 25, "validation_beam": 1}
    sizes = {"sentences": DIVISIBLE, "vocabulary": 100, "gradient_accumulation": 2}
    made = tiny.tree(run, pairs, **sizes | often | training)
    made["data"] |= {
        "train": {"path": str(pairs / "train"), "alignments": str(pairs / "train.links")},
        "max_length": 24,
    }
    made["tokenizer"]["sampling"] = {"alpha": 0.5}
    return made


def saved(run):
    """The batches after which the last states were saved."""
    folder = run / "checkpoints" / "last"
    found = folder.iterdir() if folder.exists() else ()
    return sorted(int(path.name) for path in found if path.name.isdecimal())


def records(run, name):
    """The values of that name in the log."""
    path = run / "metrics.jsonl"
    lines = path.read_text().splitlines() if path.exists() else ()
    return [record[name] for record in map(json.loads, lines) if name in record]


def assert_equal(run, other, *, batches):
    """Holds two trainings equal, but for the order of sums of floating-point numbers."""
    one, two = (
        load_file(path / "checkpoints" / "last" / str(batches) / "params.safetensors")
        for path in (run, other)
    )
    assert one.keys() == two.keys()
    for name in one:
        np.testing.assert_allclose(one[name], two[name], rtol=0, atol=2e-4, err_msg=name)
    for name in ("train/loss", "train/gradient_norm"):
        np.testing.assert_allclose(records(run, name), records(other, name), rtol=1e-3)
