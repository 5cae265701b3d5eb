"""Endings of file names: which tell how a file is compressed, and which tell a table from text."""

from pathlib import Path

COMPRESSED = (".gz", ".bz2", ".xz", ".zst")

# Endings of a single file that holds both languages; any other path is a prefix of two files.
TABLES = (".tsv", ".json", ".jsonl", ".parquet")

PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".tif", ".tiff")

# Of files that can be read at a URL, and the builder of Hugging Face datasets for each.
STREAMED = {".parquet": "parquet", ".jsonl": "json", ".json": "json"}


def compression(path: str | Path) -> str | None:
    """Returns the one of `COMPRESSED` that a name ends with, also in capitals; None without one."""
    ending = Path(path).suffix.lower()
    return ending if ending in COMPRESSED else None


def suffix(path: str | Path) -> str:
    """Returns the suffix without compression, in lower case: '.tsv' of 'a.tsv' and 'a.TSV.gz'."""
    return _suffix(Path(path)).lower()


def language(path: str | Path) -> str:
    """Returns the language code that ends the name of a text: 'pt_BR' of 'a.pt_BR.gz'."""
    return _suffix(Path(path)).removeprefix(".")


def _suffix(path: Path) -> str:
    return Path(path.stem).suffix if compression(path) else path.suffix


def is_table(path: str) -> bool:
    """Returns whether a path names one file with a column per language, compressed or not."""
    return suffix(path) in TABLES


def is_url(path: str) -> bool:
    """Returns whether a path is an address such as s3://bucket/corpus.parquet."""
    return "://" in path
