"""Which shards are finished: beside each result NAME, a hidden file .NAME.json says of what it is.

It is written before the results get their names, so that a result never lacks it.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nmt.cluster.corpus import Shard
from nmt.data import files
from nmt.errors import DataError

Record = Mapping[str, Any]  # all that a result depends on, by its name for the user


def of(shard: Shard, how: Record) -> Record:
    """Returns the record that the results of a shard have; `how` is all but the shard.

    Raises:
        DataError: a source cannot be read.
    """
    sources = list(map(files.digest, shard.sources))
    return json.loads(json.dumps({"source": sources, **how}))


def save(shard: Shard, record: Record) -> None:
    """Writes the record of a shard whose results are complete but for their names."""
    files.write_whole(_path(shard), json.dumps(record, indent=1))


def is_finished(shard: Shard, record: Record) -> bool:
    """Returns whether a shard has all its results.

    Raises:
        DataError: a result was made from something else, or is another file.
    """
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


def _path(shard: Shard) -> Path:
    result = shard.results[0]
    return result.with_name(f".{result.name}.json")
