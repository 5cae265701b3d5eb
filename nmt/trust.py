"""What a trained model from elsewhere may not do: import code, or lead to files outside."""

import os
from pathlib import Path

from nmt.config import Config
from nmt.errors import RunError


def check_imports(path: Path, config: Config, *, trust: bool) -> None:
    """Checks that the configuration in a folder names no class to import, unless it is trusted.

    Raises:
        RunError: it names one, and `trust` is not given.
    """
    imported = config.model.attention.imported
    if imported is not None and not trust:
        raise RunError(
            f"{path}: model.attention.score imports {imported}, whose code may do anything; if you "
            "trust it, give --trust, or trust=True in Python"
        )


def check_links(folder: Path, *, kind: str, within: Path | None = None) -> None:
    """Checks that no link leads out of a folder, which may come from anywhere.

    Args:
        folder: the folder.
        kind: what it is, for the message.
        within: the folder that links may lead to, if it is another.

    Raises:
        RunError: one leads out of it.
    """
    root = os.path.realpath(within or folder)
    for parent, folders, names in os.walk(folder):
        for path in (Path(parent) / name for name in folders + names):
            if path.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(root):
                raise RunError(
                    f"{path}: a link that leads out of the {kind}; put in its place what it leads "
                    f"to (the {kind} itself may be a link)"
                )
