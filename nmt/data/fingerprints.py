"""Fingerprints of data sets, by which the cache of Hugging Face datasets knows a result again."""

import hashlib

from datasets import Dataset


def of_result(text: Dataset, *made_of: object) -> str:
    """Returns the fingerprint of what is made of a text and of all else that decides on it."""
    key = " ".join(map(str, (text._fingerprint, *made_of)))
    return hashlib.sha256(key.encode()).hexdigest()
