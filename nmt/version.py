"""Which nmt has made a run folder: its version, and its commit in a git checkout of nmt itself."""

import json
from pathlib import Path

from nmt.errors import RunError

__version__ = "0.1.0"
NAME = "version.json"


def write(folder: Path) -> None:
    """Records in a run folder the nmt that trains it, whole or not at all."""
    commit = _commit(Path(__file__).parents[1] / ".git")
    recorded = {"version": __version__, **({"commit": commit} if commit else {})}
    part = folder / f"{NAME}.part"
    part.write_text(json.dumps(recorded) + "\n", encoding="utf-8")
    part.replace(folder / NAME)


def read(folder: Path) -> dict[str, str]:
    """Returns what is recorded in a run folder; nothing of one from before there were records.

    Raises:
        RunError: it is damaged.
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
    """Returns the commit that is checked out, from git's own files; None if they do not tell."""
    try:
        if git.is_file():  # in a worktree, where it names the folder
            git = git.parent / git.read_text(encoding="utf-8").partition(": ")[2].strip()
        head = (git / "HEAD").read_text(encoding="utf-8").strip()
        if not head.startswith("ref: "):
            return head
        branch = head.removeprefix("ref: ")
        if (git / "commondir").is_file():  # in a worktree too: branches are those of the checkout
            git /= (git / "commondir").read_text(encoding="utf-8").strip()
        if (git / branch).is_file():
            return (git / branch).read_text(encoding="utf-8").strip()
        packed = (git / "packed-refs").read_text(encoding="utf-8").splitlines()
        return next((line.split()[0] for line in packed if line.endswith(f" {branch}")), None)
    except (OSError, ValueError):
        return None
