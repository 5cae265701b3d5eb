"""Batches that are taken from a loader, as NumPy arrays."""

import itertools

import numpy as np

from nmt.checkpoints import TrainingProgress


def take(loader, number, start=None):
    """Returns NumPy batches, and the progress after each."""
    stream = loader.batches(start or TrainingProgress())
    taken = list(itertools.islice(stream, number))
    stream.close()
    return [(whole(batch), after) for batch, after in taken]


def whole(batch):
    """The fields of a sharded batch, its parts put together; None stays what it is."""
    return tuple(part if part is None else np.concatenate(np.asarray(part)) for part in batch)
