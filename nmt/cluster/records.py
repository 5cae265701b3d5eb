"""Which shards are finished: beside each result NAME, a hidden file .NAME.json says of what it is.

It is written before the results get their names, so that a result never lacks it.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from nmt.cluster.corpus import Shard
from nmt.data import files
from nmt.errors import DataError

Record = Mapping[str, Any]  # all that a result depends on, by its name for the user


def unfinished(shards: Sequence[Shard], how: Record) -> Iterator[tuple[Shard, Record]]:
    """Yields the shards that are to be done, with the records that their results will have.

    Raises:
        DataError: a result was made from something else, or is another file.
    """
    for shard in shards:
        record = json.loads(json.dumps({"source": list(map(files.digest, shard.sources)), **how}))
        if not _is_finished(shard, record):
            yield shard, record


def save(shard: Shard, record: Record) -> None:
    """Writes the record of a shard whose results are complete but for their names."""
    files.write_whole(_path(shard), json.dumps(record, indent=1))


def _path(shard: Shard) -> Path:
    result = shard.results[0]
    return result.with_name(f".{result.name}.json")


def _is_finished(shard: Shard, record: Record) -> bool:
    existing = [path for path in shard.results if path.exists()]
    if not existing:
        return False
    result, *_ = existing
    remedy = "give another folder for results, or remove this one"
    try:
        stored = json.loads(_path(shard).read_text(encoding="utf-8"))
        changed = [name for name in record if stored.get(name) != record[name]]
    except (OSError, ValueError, AttributeError):
        raise DataError(
            f"{result}: exists, and is no finished result of {shard}; {remedy}"
        ) from None
    if changed:
        raise DataError(f"{result}: was made with another {' and '.join(changed)}; {remedy}")
    return len(existing) == len(shard.results)
