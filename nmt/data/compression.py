"""Compressed files: gzip, bzip2, xz and Zstandard, told by the ending of the name."""

import bz2
import gzip
import lzma
import zlib
from contextlib import AbstractContextManager, nullcontext
from io import BufferedIOBase
from pathlib import Path
from typing import Any

from backports import zstd  # the standard library's compression.zstd, for Python before 3.14

from nmt.config import endings

# What reading a file raises that is damaged or cannot be read.
ERRORS = (OSError, EOFError, zlib.error, lzma.LZMAError, zstd.ZstdError)

# Of each ending in nmt.config.endings.COMPRESSED.
_OPEN: dict[str | None, Any] = {
    ".gz": gzip.open,
    ".bz2": bz2.open,
    ".xz": lzma.open,
    ".zst": zstd.open,
}


def reader(path: Path) -> BufferedIOBase:
    """Opens a file for reading; what is compressed is decompressed."""
    return _OPEN.get(endings.compression(path), open)(path, "rb")


def writer(file: BufferedIOBase, path: Path) -> AbstractContextManager[Any]:
    """Returns `file`, or what compresses into it where the ending of `path` asks for that."""
    ending = endings.compression(path)
    if ending == ".gz":  # without a time, so that the same text gives the same bytes
        return gzip.GzipFile("", "wb", fileobj=file, mtime=0)
    if ending == ".zst":  # with a checksum, which the other formats have in any case
        return zstd.open(file, "wb", options={zstd.CompressionParameter.checksum_flag: 1})
    if ending in _OPEN:
        return _OPEN[ending](file, "wb")
    return nullcontext(file)
