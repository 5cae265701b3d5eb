"""The logs of a training run: JSON lines, TensorBoard, and the terminal."""

import json
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from nmt.errors import RunError
from nmt.records import record_of
from nmt.run import Run
from nmt.training.board import Board


class TrainingLog:
    """Writes records to `metrics.jsonl` and to TensorBoard, if its process is the main one.

    Raises:
        RunError: they cannot be written.
    """

    def __init__(self, run: Run, *, step: int) -> None:
        writes = run.processes.is_main
        path = run.metrics_path if writes else Path(os.devnull)
        board = run.path / "tensorboard"
        try:
            if writes:
                board.mkdir(exist_ok=True)
                forget_after(path, step)
            self._lines = path.open("a", encoding="utf-8")
            self._board = Board(board if writes else None, step=step)
        except OSError as error:
            raise RunError(f"{error.filename}: cannot be written ({error.strerror})") from None

    def write(self, step: int, values: Mapping[str, Any]) -> None:
        """Writes values such as {"train/loss": 2.1}; numbers become TensorBoard scalars too.

        Raises:
            RunError: the disk is full.
        """
        try:
            self._lines.write(json.dumps({"step": step, **values}, ensure_ascii=False) + "\n")
            self._lines.flush()
        except OSError as error:
            raise RunError(
                f"{self._lines.name}: cannot be written ({error.strerror}); make room, and give "
                "the same command to go on from the last checkpoint"
            ) from None
        for name, value in values.items():
            if isinstance(value, int | float):
                self._board.scalar(step, name, value)
        self._board.flush()

    def image(self, step: int, name: str, pixels: npt.NDArray[np.uint8]) -> None:
        """Shows a (height, width, 3) image in TensorBoard."""
        self._board.image(step, name, pixels)

    def close(self) -> None:
        """Flushes and closes the files; `write` has reported a full disk."""
        with suppress(OSError):
            self._lines.close()
        self._board.close()


def forget_after(path: Path, step: int) -> None:
    """Drops the records that a resumed run will write again, and one that is incomplete.

    They are the end of the file, which is truncated in one operation, even if the disk is full.

    Raises:
        RunError: a line is damaged.
    """
    if path.exists():
        kept = 0
        for number, line in enumerate(path.read_bytes().splitlines(keepends=True), start=1):
            where = f"{path}, line {number}"
            if not line.endswith(b"\n") or record_of(line, where=where)["step"] > step:
                break
            kept += len(line)
        os.truncate(path, kept)


class Display:
    """A progress bar with speed and time left on a terminal; plain lines elsewhere, or nothing."""

    def __init__(
        self, total_steps: int, *, step: int, console: Console | None = None, quiet: bool = False
    ) -> None:
        self._console = console or Console(stderr=True, highlight=False, quiet=quiet)
        self._bar = Progress(
            TextColumn("step {task.completed:.0f}/{task.total:.0f}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[note]}"),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            disable=quiet or not self._console.is_terminal,
        )
        self._task = self._bar.add_task("", total=total_steps, completed=step, note="")
        self._bar.start()

    def advance(self, step: int) -> None:
        """Moves the bar to a step."""
        self._bar.update(self._task, completed=step)

    def note(self, text: str) -> None:
        """Shows the newest numbers: beside the bar, or as a line of their own."""
        if self._console.is_terminal:
            self._bar.update(self._task, note=text)
        else:
            self.say(text)

    def say(self, text: str) -> None:
        """Prints a line that stays."""
        self._console.print(text, soft_wrap=True, markup=False)

    def close(self) -> None:
        """Removes the bar."""
        self._bar.stop()


class Stopwatch:
    """Measures seconds of training; those of validation can be left out."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._start = clock()

    def lap(self) -> float:
        """Returns the seconds since the last lap and starts the next."""
        now = self._clock()
        seconds, self._start = now - self._start, now
        return seconds

    def split(self) -> float:
        """Returns the seconds of the running lap so far."""
        return self._clock() - self._start

    def leave_out(self, seconds: float) -> None:
        """Leaves so many seconds out of the running lap."""
        self._start += seconds
