"""The version of nmt, and a record of it in run folders, with the commit of a git checkout."""

import json
from pathlib import Path

from nmt.errors import RunError

__version__ = "0.2.0.dev0"
NAME = "version.json"


def record() -> str:
    """Returns, as JSON, what the folder of a run says of the version that trains it."""
    commit = _commit(Path(__file__).parents[1] / ".git")
    return json.dumps({"version": __version__, **({"commit": commit} if commit else {})}) + "\n"


def read(folder: Path) -> dict[str, str]:
    """Returns the record in a run folder; it is empty if an early version made the folder.

    Raises:
        RunError: the record is damaged.
    """
    path = folder / NAME
    try:
        recorded = json.loads(path.read_text(encoding="utf-8"))
        return {key: str(recorded[key]) for key in ("version", "commit") if key in recorded}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, RecursionError):
        raise RunError(f"{path}: not as nmt writes it; remove it") from None


def _commit(git: Path) -> str | None:
    """Returns the commit that is checked out, from git's own files, or None."""
    try:
        if git.is_file():  # of a worktree: a file with the path of the folder
            git = git.parent / git.read_text(encoding="utf-8").partition(": ")[2].strip()
        head = (git / "HEAD").read_text(encoding="utf-8").strip()
        if not head.startswith("ref: "):
            return head
        branch = head.removeprefix("ref: ")
        if (git / "commondir").is_file():  # of a worktree: branches are in the main checkout
            git /= (git / "commondir").read_text(encoding="utf-8").strip()
        if (git / branch).is_file():
            return (git / branch).read_text(encoding="utf-8").strip()
        packed = (git / "packed-refs").read_text(encoding="utf-8").splitlines()
        return next((line.split()[0] for line in packed if line.endswith(f" {branch}")), None)
    except (OSError, ValueError):
        return None
