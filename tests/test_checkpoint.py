"""Checkpoints: any damage is found, and a disk that is full leaves the ones before it whole."""

import errno
import json
import os
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from limits import files_up_to

from nmt import checkpoint
from nmt.errors import RunError

POSITION = {"step": 3, "best": 0.1, "unlogged": [1 / 3, 2.0, 3.0]}


def arrays():
    return {"weights": jnp.arange(6.0).reshape(2, 3) / 7, "step": jnp.array(3)}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A checkpoint that every test must leave as it is."""
    folder = tmp_path_factory.mktemp("checkpoints") / "7"
    checkpoint.write(folder, {"params": arrays(), "rest": {"x": jnp.ones(2)}}, POSITION)
    return folder


@pytest.fixture
def copy(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "7")


def files(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_it_comes_back_as_it_was_written(whole):
    assert checkpoint.flaw(whole) is None
    assert checkpoint.position(whole) == POSITION

    restored = checkpoint.read(whole, {"params": arrays()})["params"]

    for name, array in arrays().items():
        np.testing.assert_array_equal(restored[name], array)


def memory():
    (total,) = re.findall(r"MemTotal: +(\d+) kB", Path("/proc/meminfo").read_text())
    return int(total) * 1024


@pytest.mark.parametrize("name", ["params.npz", checkpoint.MANIFEST])
def test_a_file_of_an_absurd_size_is_not_read(copy, name):
    with (copy / name).open("ab") as file:
        file.truncate(2 * memory())

    assert re.fullmatch(
        r"[\d,]{14,} bytes are more than the memory of this machine", checkpoint.flaw(copy)
    )


def test_arrays_of_an_absurd_size_are_not_read(whole):
    absurd = {"params": {"weights": jax.ShapeDtypeStruct((memory(), 3), jnp.float32)}}

    with pytest.raises(
        RunError, match=rf"7: a model of {12 * memory():,} bytes by config\.yaml, m"
    ):
        checkpoint.read(whole, absurd)


def test_nothing_else_lies_beside_it(whole):
    assert [path.name for path in whole.parent.iterdir()] == ["7"]


@settings(max_examples=60)
@given(data=st.data())
def test_any_file_that_is_cut_off_or_changed_is_found(whole, data):
    path = data.draw(st.sampled_from(files(whole)))
    before = path.read_bytes()
    cut = data.draw(st.integers(0, len(before) - 1))
    flipped = bytes([before[cut] ^ data.draw(st.integers(1, 255))])
    after = data.draw(
        st.sampled_from([before[:cut], before[:cut] + flipped + before[cut + 1 :], before + b"\n"])
    )
    if path.name == checkpoint.MANIFEST and same_json(before, after):
        return  # white space at the end says nothing else
    try:
        path.write_bytes(after)
        try:
            flaw = checkpoint.flaw(whole)
        except RunError as error:
            flaw = str(error)  # one digit makes it a newer format
    finally:
        path.write_bytes(before)

    assert flaw is not None


def same_json(one, other):
    try:
        return json.loads(one) == json.loads(other)
    except ValueError:
        return False


def test_each_file_that_is_missing_is_named(whole):
    for path in files(whole):
        hidden = path.rename(whole.parent / "hidden")
        try:
            assert checkpoint.flaw(whole) == f"{path.relative_to(whole)} is missing"
        finally:
            hidden.rename(path)


def test_a_file_too_many_is_named(copy):
    (copy / "more").touch()

    assert checkpoint.flaw(copy) == "more is not as it was written"


def test_a_manifest_that_names_a_file_elsewhere_reads_nothing_there(copy, tmp_path):
    (tmp_path / "secret").write_text("x")
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["files"]["../secret"] = "0" * 64
    (copy / "manifest.json").write_text(json.dumps(manifest))

    assert checkpoint.flaw(copy) == "../secret is missing"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 1}', '{"format": "x", "files": {}}'])
def test_a_manifest_that_makes_no_sense_is_a_flaw(copy, text):
    (copy / "manifest.json").write_text(text)

    assert checkpoint.flaw(copy) == "manifest.json cannot be read"


@pytest.mark.parametrize(("format", "remedy"), [(1, "use the nmt that wrote"), (3, "update nmt")])
def test_another_format_says_so(copy, format, remedy):
    manifest = json.loads((copy / "manifest.json").read_text())
    (copy / "manifest.json").write_text(json.dumps({**manifest, "format": format}))

    with pytest.raises(RunError, match=rf"7: a checkpoint of format {format}, .* 2; {remedy}"):
        checkpoint.flaw(copy)


@settings(max_examples=60)
@given(data=st.data())
def test_a_file_that_nmt_has_not_written_is_named_whatever_it_holds(whole, data):
    path = whole / "params.npz"
    before = path.read_bytes()
    start = data.draw(st.integers(0, len(before)))
    after = before[:start] + data.draw(st.binary(max_size=40)) + before[start + 3 :]
    refused, found = str(whole), {"params": arrays()}
    try:
        path.write_bytes(after)
        found = checkpoint.read(whole, found)  # the same, where what was changed is no array's
    except RunError as error:
        refused = str(error)
    finally:
        path.write_bytes(before)

    assert str(whole) in refused
    np.testing.assert_array_equal(found["params"]["weights"], arrays()["weights"])


def test_an_array_that_claims_to_be_large_is_refused_before_it_is_read(copy):
    name, header = "weights.npy", np.zeros(0, np.float32)
    with zipfile.ZipFile(copy / "params.npz", "w") as archive, archive.open(name, "w") as file:
        described = np.lib.format.header_data_from_array_1_0(header)
        np.lib.format.write_array_header_1_0(file, {**described, "shape": (10**15,)})

    with pytest.raises(RunError, match=r"weights: \(1000000000000000,\) float32 in the checkpoint"):
        checkpoint.read(copy, {"params": {"weights": jnp.zeros(2)}})


def save_more(folder):
    """Tries to save what no test's disk has room for: noise cannot be compressed."""
    noise = np.random.default_rng(0).normal(size=(400, 100)).astype(np.float32)
    checkpoint.write(folder, {"params": {"weights": jnp.asarray(noise)}}, POSITION)


@pytest.fixture
def small_files():
    with files_up_to(50_000):
        yield


def test_what_cannot_be_written_is_one_line_and_leaves_the_one_before(copy, small_files, capfd):
    reason = os.strerror(errno.EFBIG)
    with pytest.raises(RunError, match=rf"8: the checkpoint cannot be saved \({reason}\); the one"):
        save_more(copy.with_name("8"))

    assert [path.name for path in copy.parent.iterdir()] == ["7"]
    assert checkpoint.flaw(copy) is None
    assert capfd.readouterr().err == ""


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=120k", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a file system can be mounted only by root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_one_line_and_leaves_the_one_before(whole, small_disk, capfd):
    shutil.copytree(whole, small_disk / "7")

    reason = os.strerror(errno.ENOSPC)
    with pytest.raises(RunError, match=rf"8: the checkpoint cannot be saved \({reason}\); the one"):
        save_more(small_disk / "8")

    assert [path.name for path in small_disk.iterdir()] == ["7"]
    assert checkpoint.flaw(small_disk / "7") is None
    assert capfd.readouterr().err == ""
