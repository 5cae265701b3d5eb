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
from typing import Any

import numpy as np
import numpy.typing as npt
from tensorboardX import summary
from tensorboardX.proto.event_pb2 import Event, SessionLog
from tensorboardX.record_writer import RecordWriter


class Board:
    """Writes an event file in a folder, or nothing without one.

    Where this fails, a warning says so, and no more is written.

    Raises:
        OSError: the file cannot be opened.
    """

    def __init__(self, folder: Path | None, *, step: int) -> None:
        self._folder = folder
        self._file: RecordWriter | None = None
        if folder is not None:
            name = f"events.out.tfevents.{time.time():.0f}.{socket.gethostname()}.{os.getpid()}"
            self._file = RecordWriter(str(folder / name))
        self._write(file_version="brain.Event:2")
        # TensorBoard drops what earlier files have from the step of a start on.
        self._write(step=step + 1, session_log=SessionLog(status=SessionLog.START))

    def scalar(self, step: int, name: str, value: float) -> None:
        """Writes a number of a step."""
        self._write(step=step, summary=summary.scalar(name, value))

    def image(self, step: int, name: str, pixels: npt.NDArray[np.uint8]) -> None:
        """Writes a (height, width, 3) image of a step."""
        self._write(step=step, summary=summary.image(name, pixels, dataformats="HWC"))

    def flush(self) -> None:
        """Makes what was written visible to TensorBoard."""
        self._do(RecordWriter.flush)

    def close(self) -> None:
        """Writes what is left, and closes the file."""
        self._do(RecordWriter.close)

    def _write(self, **event: Any) -> None:
        content = Event(wall_time=time.time(), **event).SerializeToString()
        self._do(lambda file: file.write(content))

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
