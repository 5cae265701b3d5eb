"""Bundles by their names on the hub: from a cache on disk, and through a server in this process."""

import hashlib
import shlex
import shutil

import fake_hub
import pytest
from huggingface_hub import constants, snapshot_download

from nmt import hub, trained
from nmt.bundle import Bundle
from nmt.errors import DataError, RunError

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache of the hub."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


@pytest.fixture
def cached(cache, copy_bundle):
    """The snapshot of a bundle as huggingface_hub lays it out: links to contents."""
    repository = cache / "models--user--name"
    snapshot = repository / "snapshots" / COMMIT
    for path in (path for path in copy_bundle.rglob("*") if path.is_file()):
        blob = repository / "blobs" / hashlib.sha256(path.read_bytes()).hexdigest()
        blob.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, blob)
        link = snapshot / path.relative_to(copy_bundle)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(blob)
    for ref in ("main", "v1"):
        (repository / "refs").mkdir(exist_ok=True)
        (repository / "refs" / ref).write_text(COMMIT)
    return snapshot


@pytest.mark.parametrize("revision", ["", "@v1", "@main", f"@{COMMIT}"])
def test_a_name_is_a_bundle_in_the_cache(cached, copy_bundle, revision):
    theirs = snapshot_download("user/name", local_files_only=True)

    found = trained.opened(f"hf:user/name{revision}")

    assert str(found.path) == theirs == str(cached)
    assert found.config == Bundle.open(copy_bundle).config
    assert found.tokenizers().fingerprint == Bundle.open(copy_bundle).tokenizers().fingerprint


NAMES = ["hf:", "hf:name", "hf:user/", "hf:/user/name", "hf:user/name/more", "hf:user/name@"]
NAMES += ["hf:user/../name", "hf:user/name@../../x", "hf:-user/name", "hf:user/na me", "hf:usér/x"]
NAMES += ["hf:user/name@v1..v2", "hf:user/name@/etc", "hf:https://huggingface.co/user/name"]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_of_another_form_is_refused(cache, name):
    with pytest.raises(RunError, match=r"not the name of a bundle on the hub, hf:USER/NAME\[@REV"):
        trained.opened(name)


@pytest.mark.parametrize("name", ["hf:user/name@other", "hf:user/other"])
def test_what_is_not_in_the_cache_needs_the_network(cached, name):
    message = r": cannot be had from the hub \(it is not in the cache, and the hub is offline or"

    with pytest.raises(RunError, match=f"^{name}{message}"):
        trained.opened(name)


def test_a_link_out_of_the_cache_of_a_bundle_is_refused(cached, tmp_path):
    (tmp_path / "elsewhere").write_text("{}")
    (cached / "config.json").unlink()
    (cached / "config.json").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(RunError, match=r"config.json: a link that leads out of the bundle; put"):
        trained.opened("hf:user/name")


def test_a_repository_of_something_else_is_named(cached):
    (cached / "config.json").unlink()
    (cached / "config.json").write_text('{"model_type": "bert"}')

    with pytest.raises(RunError, match=r"config.json: not as `nmt export` writes it"):
        trained.opened("hf:user/name")


@pytest.fixture
def server(cache, monkeypatch):
    with fake_hub.running() as server:
        monkeypatch.setattr(constants, "ENDPOINT", server.address)
        template = server.address + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setenv("HF_TOKEN", server.token)
        yield server


@pytest.mark.parametrize("revision", [None, "v2"])
def test_what_is_pushed_is_what_others_get(server, bundle, monkeypatch, revision):
    name = "hf:user/name" + (f"@{revision}" if revision else "")
    (bundle / "README.md").write_text("---\nlanguage: de\n---\n")
    stale = {
        "tokenizer/source.model": b"old",
        "attention.png": b"of another source",
        "picture.png": b"kept",
    }
    server.branches["main"] = dict(stale)

    address = hub.push(bundle, "user/name", private=True, revision=revision)
    (bundle / "README.md").unlink()
    found = trained.opened(name)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    again = trained.opened(name)

    assert address == f"{server.address}/user/name"
    assert server.sent[0]["visibility"] == "private"
    assert server.branches["main"] == stale or revision is None
    files = {path.relative_to(bundle).as_posix(): path for path in bundle.rglob("*.*")}
    pushed = {file: path.read_bytes() for file, path in files.items() if path.is_file()}
    assert server.branches[revision or "main"].items() >= pushed.items()
    left = server.branches[revision or "main"].keys()
    assert not {"tokenizer/source.model", "attention.png"} & left
    assert "picture.png" in left
    got = {path.relative_to(found.path).as_posix() for path in found.path.rglob("*.*")}
    assert got == set(pushed)  # neither card nor pictures
    assert again.path == found.path
    assert found.config == Bundle.open(bundle).config


def test_a_missing_repository_or_revision_is_named(server, bundle):
    with pytest.raises(RunError, match=r"^hf:user/other: cannot be had .* \(it does not exist, or"):
        trained.opened("hf:user/other")
    hub.push(bundle, "user/name", private=False, revision=None)
    with pytest.raises(RunError, match=r"@v9: cannot be had from the hub \(it has no such rev"):
        trained.opened("hf:user/name@v9")


def test_a_push_without_a_token_leaves_the_bundle(server, bundle, monkeypatch):
    monkeypatch.delenv("HF_TOKEN")

    with pytest.raises(
        DataError,
        match=r"^user/name: not pushed \(it does not exist, or needs a token: `hf auth login`, or "
        r"set HF_TOKEN\); the bundle is whole in .*/bundle: `hf upload user/name .*` pushes it",
    ):
        hub.push(bundle, "user/name", private=False, revision=None)


def test_the_command_that_pushes_it_later_keeps_it_private(server, tmp_path, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    folder = tmp_path / "a bundle"

    with pytest.raises(DataError) as raised:
        hub.push(folder, "user/name", private=True, revision="v2")

    _, command, _ = str(raised.value).split("`")
    assert shlex.split(command) == [
        *("hf", "upload", "user/name", str(folder), "--private", "--revision", "v2")
    ]


def test_a_push_without_a_network_leaves_the_bundle(server, bundle, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)

    with pytest.raises(DataError, match=r"not pushed \(HF_HUB_OFFLINE is set\); the bundle is wh"):
        hub.push(bundle, "user/name", private=False, revision=None)


@pytest.mark.parametrize(
    ("repository", "revision", "message"),
    [
        ("name", None, "name: not the name of a repository on the hub, USER/NAME"),
        ("user/../x", None, "not the name of a repository"),
        ("hf:user/x", None, "not the name of a repository"),
        ("user/x", "../y", "../y: not the name of a revision, a branch of the repository"),
        ("user/x", "", ": not the name of a revision"),
    ],
)
def test_names_are_checked_before_anything_is_pushed(repository, revision, message):
    with pytest.raises(DataError, match=message):
        hub.check(repository, revision)
