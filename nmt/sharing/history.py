"""How long a run was trained, from the clock times in its TensorBoard files."""

import struct
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from google.protobuf.message import DecodeError
from tensorboardX.proto.event_pb2 import Event

from nmt.run import Run


def training_time(run: Run) -> timedelta:
    """Returns the time from the first to the last record of each start of a training, summed up.

    Validation is included, pauses between starts are not. It is zero if there are no such files.
    """
    paths = (run.path / "tensorboard").glob("events.out.tfevents.*")
    spans = [times for path in paths if (times := list(_times(path)))]
    return timedelta(seconds=sum(max(times) - min(times) for times in spans))


def _times(path: Path) -> Iterator[float]:
    """Yields the times of the records in a file, up to one that is damaged or incomplete.

    A record is its length in 8 bytes, a checksum of 4 bytes, the record, and another checksum.
    """
    content, place = path.read_bytes(), 0
    while place + 12 <= len(content):
        (length,) = struct.unpack_from("<Q", content, place)
        try:
            yield Event.FromString(content[place + 12 : place + 12 + length]).wall_time
        except DecodeError:
            return
        place += 16 + length
