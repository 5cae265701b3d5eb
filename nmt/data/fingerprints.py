"""Fingerprints of data sets.

By one, the cache of Hugging Face datasets knows a result again; by the other, processes on several
hosts know that they read the same text, and a run that goes on that its corpora are as they were.
"""

import hashlib

import pyarrow as pa
from datasets import Dataset


def of_result(text: Dataset, *made_of: object) -> str:
    """Returns the fingerprint of what is made of a text and of all else that decides on it."""
    key = " ".join(map(str, (text._fingerprint, *made_of)))
    return hashlib.sha256(key.encode()).hexdigest()


def of_content(text: Dataset) -> str:
    """Returns a fingerprint of the rows alone, wherever they come from; it reads all of them."""
    digest = hashlib.sha256()
    for table in text.with_format("arrow").iter(batch_size=10_000):
        for batch in pa.table(table).combine_chunks().to_batches():
            digest.update(batch.serialize())
    return digest.hexdigest()
