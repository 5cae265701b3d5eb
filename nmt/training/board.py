"""Event files of TensorBoard, written where they are logged.

`SummaryWriter` of tensorboardX writes in a thread of its own. A full disk ends this thread, and
what is logged afterwards then waits for it for ever.
"""

import contextlib
import os
import socket
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tensorboardX import summary
from tensorboardX.proto.event_pb2 import Event, SessionLog
from tensorboardX.record_writer import RecordWriter


class Board:
    """Writes an event file of a run; where this fails, a warning says so, and no more is written.

    Raises:
        OSError: the file cannot be opened.
    """

    def __init__(self, folder: Path, *, step: int) -> None:
        now = time.time()
        name = f"events.out.tfevents.{now:.0f}.{socket.gethostname()}.{os.getpid()}"
        self._folder = folder
        self._file: RecordWriter | None = RecordWriter(str(folder / name))
        self._write(Event(wall_time=now, file_version="brain.Event:2"))
        # TensorBoard drops what earlier files have from the step of a start on.
        start = SessionLog(status=SessionLog.START)
        self._write(Event(wall_time=now, step=step + 1, session_log=start))

    def scalar(self, step: int, name: str, value: float) -> None:
        """Writes a number of a step."""
        self._write(Event(wall_time=time.time(), step=step, summary=summary.scalar(name, value)))

    def image(self, step: int, name: str, pixels: npt.NDArray[np.uint8]) -> None:
        """Writes a (height, width, 3) image of a step."""
        shown = summary.image(name, pixels, dataformats="HWC")
        self._write(Event(wall_time=time.time(), step=step, summary=shown))

    def flush(self) -> None:
        """Makes what was written visible to TensorBoard."""
        self._do(RecordWriter.flush)

    def close(self) -> None:
        """Writes what is left, and closes the file."""
        self._do(RecordWriter.close)

    def _write(self, event: Event) -> None:
        self._do(lambda file: file.write(event.SerializeToString()))

    def _do(self, action: Callable[[RecordWriter], object]) -> None:
        """Does something to the file, and gives the file up if it cannot be written."""
        file = self._file
        if file is None:
            return
        try:
            action(file)
        except OSError as error:
            self._file = None
            with contextlib.suppress(OSError):  # what it holds cannot be written either
                file.close()
            warnings.warn(
                f"{self._folder}: cannot be written ({error.strerror}); training goes on without "
                "TensorBoard, and metrics.jsonl has the same numbers",
                stacklevel=4,
            )
