"""Bundles on the Hugging Face hub, by names `hf:USER/NAME` and `hf:USER/NAME@REVISION`."""

import re
from pathlib import Path

from nmt.errors import RunError

PREFIX = "hf:"
# What a bundle consists of; nothing else of a repository is downloaded.
FILES = ["config.json", "model.safetensors", "tokenizer/*.model", "shortlist.npz"]

_WORD = r"\w(?:[\w.-]*\w)?"
_NAME = re.compile(rf"hf:({_WORD}/{_WORD})(?:@({_WORD}(?:/{_WORD})*))?", re.ASCII)


def is_name(name: str | Path) -> bool:
    """Returns whether a name is one of the hub, and not a path."""
    return str(name).startswith(PREFIX)


def downloaded(name: str | Path) -> Path:
    """Returns the folder of a bundle in the cache, downloaded if it is not there or has changed.

    Raises:
        RunError: the name has another form, or the bundle cannot be had.
    """
    name = Path(name).as_posix()
    given = _NAME.fullmatch(name)
    if given is None or ".." in name:
        raise RunError(f"{name}: not the name of a bundle on the hub, hf:USER/NAME[@REVISION]")
    from huggingface_hub import snapshot_download

    repository, revision = given.groups()
    return Path(snapshot_download(repository, revision=revision, allow_patterns=FILES))
