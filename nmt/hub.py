"""Bundles on the Hugging Face hub: downloads by `hf:USER/NAME[@REVISION]`, and uploads."""

import re
import shlex
from pathlib import Path

from nmt.errors import DataError, RunError

PREFIX = "hf:"
# What a bundle consists of; nothing else of a repository is downloaded.
FILES = ["config.json", "model.safetensors", "tokenizer/*.model", "shortlist.npz"]
PICTURE = "attention.png"  # of its model card, which not every bundle has

_WORD = r"\w(?:[\w.-]*\w)?"
_REPOSITORY = re.compile(f"{_WORD}/{_WORD}", re.ASCII)
_REVISION = re.compile(f"{_WORD}(?:/{_WORD})*", re.ASCII)


def is_name(name: str | Path) -> bool:
    """Returns whether a name is one of the hub, and not a path."""
    return str(name).startswith(PREFIX)


def downloaded(name: str | Path) -> Path:
    """Returns the folder in the cache with the files of a bundle, downloaded if needed.

    Without a network, or with HF_HUB_OFFLINE=1, it is the one downloaded last.

    Raises:
        RunError: the name has another form, or the bundle cannot be had.
    """
    name = Path(name).as_posix()
    repository, at, revision = name.removeprefix(PREFIX).partition("@")
    if not _has_form(repository, _REPOSITORY) or (at and not _has_form(revision, _REVISION)):
        raise RunError(f"{name}: not the name of a bundle on the hub, hf:USER/NAME[@REVISION]")
    from huggingface_hub import snapshot_download

    try:
        found = snapshot_download(repository, revision=revision or None, allow_patterns=FILES)
    except Exception as error:  # of its HTTP library, which depends on its version
        raise RunError(f"{name}: cannot be had from the hub ({_reason(error)})") from None
    return Path(found)


def check(repository: str, revision: str | None) -> None:
    """Checks the name of a repository, and the one of a revision, before something is pushed.

    Raises:
        DataError: they have another form.
    """
    if not _has_form(repository, _REPOSITORY):
        raise DataError(f"{repository}: not the name of a repository on the hub, USER/NAME")
    if revision is not None and not _has_form(revision, _REVISION):
        raise DataError(f"{revision}: not the name of a revision, a branch of the repository")


def push(folder: Path, repository: str, *, private: bool, revision: str | None) -> str:
    """Uploads a bundle into a repository, which is made if there is none; returns its address.

    Raises:
        DataError: it was not uploaded.
    """
    from huggingface_hub import HfApi

    api = HfApi(library_name="nmt")
    try:
        api.create_repo(repository, private=private, exist_ok=True)
        if revision is not None:
            api.create_branch(repository, branch=revision, exist_ok=True)
        api.upload_folder(
            repo_id=repository,
            folder_path=folder,
            revision=revision,
            commit_message="nmt export",
            # Those of an earlier bundle that this one does not have.
            delete_patterns=[*FILES, PICTURE],
        )
    except Exception as error:  # of its HTTP library, which depends on its version
        raise DataError(
            f"{repository}: not pushed ({_reason(error)}); the bundle is whole in {folder}: "
            f"`{_command(folder, repository, private, revision)}` pushes it later"
        ) from None
    return f"{api.endpoint}/{repository}"


def _command(folder: Path, repository: str, private: bool, revision: str | None) -> str:
    """Returns the command of the hub's own tool that does what `push` does."""
    options = ["--private"] * private + ([] if revision is None else ["--revision", revision])
    return shlex.join(["hf", "upload", repository, str(folder), *options])


def _has_form(name: str, form: re.Pattern[str]) -> bool:
    return form.fullmatch(name) is not None and ".." not in name


def _reason(error: Exception) -> str:
    """Returns in one line why the hub gave or took nothing, and what helps."""
    from huggingface_hub import errors, get_token

    if isinstance(error, errors.OfflineModeIsEnabled):
        return "HF_HUB_OFFLINE is set"
    if isinstance(error, errors.LocalEntryNotFoundError):
        return "it is not in the cache, and the hub is offline or cannot be reached"
    if isinstance(error, errors.RevisionNotFoundError):
        return "it has no such revision"
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status in (401, 403) and get_token() is None:
        return "it does not exist, or needs a token: `hf auth login`, or set HF_TOKEN"
    if isinstance(error, errors.RepositoryNotFoundError):
        return "it does not exist, or your token has no access to it"
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".:")
