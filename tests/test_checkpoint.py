"""Checkpoints: any damage is found, and a disk that is full leaves the ones before it whole."""

import errno
import json
import math
import os
import re
import shutil
import subprocess
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

PROGRESS = {"step": 3, "best": 0.1, "pending_log": {"loss": 1 / 3, "tokens": 3.0}}


def arrays():
    return {"weights": jnp.arange(6.0).reshape(2, 3) / 7, "step": jnp.array(3)}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A checkpoint that every test must leave as it is."""
    folder = tmp_path_factory.mktemp("checkpoints") / "7"
    checkpoint.write(folder, {"params": arrays(), "rest": {"x": jnp.ones(2)}}, PROGRESS)
    return folder


@pytest.fixture
def copy(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "7")


def files(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_it_comes_back_as_it_was_written(whole):
    assert checkpoint.validate(whole) is None
    assert checkpoint.progress(whole) == PROGRESS

    restored = checkpoint.read(whole, {"params": arrays()})["params"]

    for name, array in arrays().items():
        np.testing.assert_array_equal(restored[name], array)


def memory():
    (total,) = re.findall(r"MemTotal: +(\d+) kB", Path("/proc/meminfo").read_text())
    return int(total) * 1024


@pytest.mark.parametrize("name", ["params.safetensors", checkpoint.MANIFEST])
def test_a_file_of_an_absurd_size_is_not_read(copy, name):
    with (copy / name).open("ab") as file:
        file.truncate(2 * memory())

    assert re.fullmatch(
        r"[\d,]{14,} bytes are more than the memory of this machine", checkpoint.validate(copy)
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
            validate = checkpoint.validate(whole)
        except RunError as error:
            validate = str(error)  # one digit makes it a newer format
    finally:
        path.write_bytes(before)

    assert validate is not None


def same_json(one, other):
    try:
        return json.loads(one) == json.loads(other)
    except ValueError:
        return False


def test_each_file_that_is_missing_is_named(whole):
    for path in files(whole):
        hidden = path.rename(whole.parent / "hidden")
        try:
            assert checkpoint.validate(whole) == f"{path.relative_to(whole)} is missing"
        finally:
            hidden.rename(path)


@pytest.mark.parametrize(
    "name", [".DS_Store", "Thumbs.db", "progress.json~", "._params.safetensors"]
)
def test_a_file_of_another_program_is_no_damage(copy, name):
    with (copy / name).open("wb") as file:
        file.truncate(2 * memory())
    (copy / ".#progress.json").symlink_to("somebody@somewhere")  # as an editor locks a file

    assert checkpoint.validate(copy) is None
    assert checkpoint.progress(copy) == PROGRESS


def test_a_file_that_another_program_writes_meanwhile_is_no_part_of_a_checkpoint(tmp_path):
    class Watched(dict):
        def items(self):
            yield from super().items()
            (tmp_path / "7.part" / ".DS_Store").touch()

    checkpoint.write(tmp_path / "7", Watched(params=arrays()), PROGRESS)
    (tmp_path / "7" / ".DS_Store").unlink()

    assert checkpoint.validate(tmp_path / "7") is None


def test_a_file_that_the_manifest_does_not_name_is_not_read(copy):
    manifest = json.loads((copy / "manifest.json").read_text())
    (copy / "manifest.json").write_text(json.dumps({**manifest, "files": {}}))

    assert checkpoint.validate(copy) is None
    with pytest.raises(
        RunError, match=r"params\.safetensors: manifest\.json does not name it, so "
    ):
        checkpoint.read(copy, {"params": arrays()})
    with pytest.raises(ValueError, match=r"manifest\.json does not name progress\.json"):
        checkpoint.progress(copy)


def test_a_manifest_that_names_a_file_elsewhere_reads_nothing_there(copy, tmp_path):
    (tmp_path / "secret").write_text("x")
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["files"]["../secret"] = "0" * 64
    (copy / "manifest.json").write_text(json.dumps(manifest))

    assert checkpoint.validate(copy) == "../secret is missing"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"format": 1}',
        '{"format": "x", "files": {}}',
        '{"format": Infinity, "files": {}}',
        "[" * 100_000,
    ],
)
def test_a_manifest_that_makes_no_sense_is_a_flaw(copy, text):
    (copy / "manifest.json").write_text(text)

    assert checkpoint.validate(copy) == "manifest.json cannot be read"


@pytest.mark.parametrize(("format", "remedy"), [(1, "use the nmt that wrote"), (4, "update nmt")])
def test_another_format_says_so(copy, format, remedy):
    manifest = json.loads((copy / "manifest.json").read_text())
    (copy / "manifest.json").write_text(json.dumps({**manifest, "format": format}))

    with pytest.raises(RunError, match=rf"7: a checkpoint of format {format}, .* 3; {remedy}"):
        checkpoint.validate(copy)


@pytest.fixture(scope="module")
def opened(whole):
    """Reads the parameters of a checkpoint whose file of them holds given bytes."""
    path = whole / "params.safetensors"
    before = path.read_bytes()

    def read(content, template):
        path.write_bytes(content)
        try:
            return checkpoint.read(whole, {"params": template})["params"]
        finally:
            path.write_bytes(before)

    return read


@settings(max_examples=120)
@given(data=st.data())
def test_a_file_that_nmt_has_not_written_is_named_whatever_it_holds(whole, opened, data):
    before = (whole / "params.safetensors").read_bytes()
    start = data.draw(st.integers(0, len(before)))
    after = before[:start] + data.draw(st.binary(max_size=40)) + before[start + 3 :]
    refused, found = str(whole), arrays()
    try:
        found = opened(after, found)  # where a number was changed, which digests find
    except RunError as error:
        refused = str(error)

    assert re.fullmatch(rf".*{whole}.*", refused)
    assert jax.tree.map(jnp.shape, found) == jax.tree.map(jnp.shape, arrays())


def described(header, content=bytes(8)):
    """A file of safetensors with a header, or with the text of one."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + content


def array(shape=(2,), dtype="F32", start=0, end=8):
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


NOT_AS_WRITTEN = {
    "empty": b"",
    "cut off in the length": b"abc",
    "cut off in the header": described({"weights": array()})[:20],
    "cut off in an array": described({"weights": array()}, bytes(7)),
    "a byte too many": described({"weights": array()}, bytes(9)),
    "a header of 2^64 - 1 bytes": b"\xff" * 8 + b"{}",
    "a header of 90 MB": (90_000_000).to_bytes(8, "little") + b"{}",
    "a header that is not UTF-8": described(b'{"weights\xff": {}}'),
    "a header of half a surrogate pair": described(rb'{"\ud800": {}}'),
    "a header that is not JSON": described(b"{"),
    "a header that is a list": described([1]),
    "a header nested too deeply": described(b"[" * 100_000),
    "an overlap": described({"weights": array(), "more\nlines": array((1,), start=4)}),
    "a hole": described({"weights": array((1,), start=4)}),
    "an array beyond the end": described({"weights": array((10**15,), end=4 * 10**15)}),
    "a size that overflows": described({"weights": array((2**62, 2**62))}),
    "a shape below zero": described({"weights": array((-2,))}),
    "another size than its shape has": described({"weights": array((3,))}),
    "no such type": described({"weights": array(dtype="F33")}),
    "one name for two sizes": described(
        b'{"weights": %b, "weights": %b}'
        % tuple(json.dumps(each).encode() for each in (array(), array((1,), end=4)))
    ),
}


@pytest.mark.parametrize("content", NOT_AS_WRITTEN.values(), ids=NOT_AS_WRITTEN.keys())
def test_a_file_that_is_not_safetensors_is_named_in_one_line(opened, content):
    with pytest.raises(RunError, match=r"params.safetensors: intact, but not written by.* copy$"):
        opened(content, {"weights": jnp.zeros(2)})


@pytest.mark.parametrize(
    ("header", "difference"),
    [
        ({"weights": array((2**50, 0), end=0)}, rf"weights: \({2**50}, 0\) float32 in the ch"),
        ({"weights": array((8,), "F8_E5M2")}, r"weights: \(8,\) F8_E5M2 in the checkpoint, \(2,"),
        ({"weights": array(dtype="I32")}, r"weights: \(2,\) int32 in the checkpoint, \(2,\) fl"),
        ({"one\ntwo": array()}, r"\('one\\ntwo': \(2,\) float32 in the checkpoint, no such array"),
    ],
)
def test_headers_are_compared_before_arrays_are_read(opened, header, difference):
    size = header.get("weights", array())["data_offsets"][1]

    with pytest.raises(RunError, match=rf"^.*7: checkpoint of another model .*{difference}.*$"):
        opened(described(header, bytes(size)), {"weights": jnp.zeros(2)})


@pytest.mark.parametrize(
    "dtype", ["bool", "int8", "int32", "uint8", "uint32", "float16", "bfloat16", "float32"]
)
@pytest.mark.parametrize("shape", [(), (1,), (0, 3), (2, 3)])
def test_arrays_of_all_types_come_back(tmp_path, dtype, shape):
    values = jnp.asarray(np.arange(math.prod(shape)).reshape(shape) / 3, dtype)
    checkpoint.write(tmp_path / "1", {"params": {"a": values}}, PROGRESS)

    found = checkpoint.read(tmp_path / "1", {"params": {"a": jnp.zeros(shape, dtype)}})

    assert found["params"]["a"].dtype == dtype
    np.testing.assert_array_equal(found["params"]["a"], values)


def test_arrays_come_back_to_where_those_of_the_template_lie(whole):
    second = jax.devices()[1]
    template = jax.device_put(arrays(), second)

    found = checkpoint.read(whole, {"params": template})["params"]

    assert {leaf.device for leaf in jax.tree.leaves(found)} == {second}


def test_files_are_for_those_who_may_read_the_others(whole):
    assert len({path.stat().st_mode for path in files(whole)}) == 1


REST = {
    "step": jnp.array(3),
    "optimizer": {"mu": {"a": jnp.ones(2)}, "nu": {"a": jnp.ones(2)}},
}


@pytest.fixture
def rest(tmp_path):
    checkpoint.write(tmp_path / "1", {"params": REST, "rest": REST}, PROGRESS)
    return lambda name, template: checkpoint.read(tmp_path / "1", {name: template})[name]


def test_a_field_that_a_checkpoint_does_not_have_stays_as_it_is(rest):
    objectives = {"reinforce": jnp.full(2, 7.0), "guided": jnp.array(8.0)}

    found = rest("rest", {**REST, "objectives": objectives})

    assert found.keys() == {*REST, "objectives"}
    np.testing.assert_array_equal(found["step"], 3)
    np.testing.assert_array_equal(found["objectives"]["reinforce"], [7, 7])
    np.testing.assert_array_equal(found["objectives"]["guided"], 8)


def test_a_field_that_only_earlier_versions_saved_is_left_out(tmp_path):
    saved = {**REST, "pending": [jnp.ones(3), {"a": jnp.ones(2)}]}
    checkpoint.write(tmp_path / "1", {"params": REST, "rest": saved}, PROGRESS)

    found = checkpoint.read(tmp_path / "1", {"rest": REST})["rest"]

    assert jax.tree.structure(found) == jax.tree.structure(REST)
    np.testing.assert_array_equal(found["step"], 3)


@pytest.mark.parametrize(
    ("name", "template", "named"),
    [
        ("rest", {**REST, "more": jax.ShapeDtypeStruct((2,), jnp.float32)}, "more: no such array"),
        (
            "rest",
            {**REST, "optimizer": {**REST["optimizer"], "count": jnp.array(0)}},
            "optimizer.count: no such array in the checkpoint",
        ),
        ("rest", {"step": REST["step"]}, r"optimizer.mu.a: \(2,\) float32 in the checkpoint, no s"),
        ("params", {**REST, "more": jnp.ones(2)}, "more: no such array in the checkpoint"),
    ],
    ids=["only a shape", "a field in part", "a field too many", "a part of the model"],
)
def test_what_else_is_missing_or_too_many_is_another_model(rest, name, template, named):
    with pytest.raises(RunError, match=rf"1: checkpoint of another model \({named}"):
        rest(name, template)


def save_more(folder):
    """Tries to save what no test's disk has room for: noise cannot be compressed."""
    noise = np.random.default_rng(0).normal(size=(400, 100)).astype(np.float32)
    checkpoint.write(folder, {"params": {"weights": jnp.asarray(noise)}}, PROGRESS)


@pytest.fixture
def small_files():
    with files_up_to(50_000):
        yield


def test_what_cannot_be_written_is_one_line_and_leaves_the_one_before(copy, small_files, capfd):
    reason = os.strerror(errno.EFBIG)
    with pytest.raises(RunError, match=rf"8: the checkpoint cannot be saved \({reason}\); earlier"):
        save_more(copy.with_name("8"))

    assert [path.name for path in copy.parent.iterdir()] == ["7"]
    assert checkpoint.validate(copy) is None
    assert capfd.readouterr().err == ""


def test_one_of_the_same_name_comes_back_if_the_new_one_cannot_have_it(copy, monkeypatch):
    rename = Path.rename

    def fail(path, target):
        if path.name == "7.part":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(RunError, match=r"7: the checkpoint cannot be saved \(Input/output error"):
        checkpoint.write(copy, {"params": {"weights": jnp.ones(2)}}, PROGRESS)

    assert [path.name for path in copy.parent.iterdir()] == ["7"]
    assert checkpoint.progress(copy) == PROGRESS
    assert "rest.safetensors" in {path.name for path in files(copy)}


def test_one_of_the_same_name_comes_back_after_a_power_failure(copy):
    copy.rename(copy.with_name("7.part.old"))
    copy.with_name("7.part").mkdir()

    checkpoint.write(copy.with_name("8"), {"params": {"weights": jnp.ones(2)}}, PROGRESS)

    assert sorted(path.name for path in copy.parent.iterdir()) == ["7", "8"]
    assert checkpoint.validate(copy) is None


def test_one_of_the_same_name_is_replaced(copy):
    checkpoint.write(copy, {"params": {"weights": jnp.ones(2)}}, PROGRESS)

    assert [path.name for path in copy.parent.iterdir()] == ["7"]
    template = {"params": {"weights": jnp.zeros(2)}}
    np.testing.assert_array_equal(checkpoint.read(copy, template)["params"]["weights"], np.ones(2))


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
    with pytest.raises(RunError, match=rf"8: the checkpoint cannot be saved \({reason}\); earlier"):
        save_more(small_disk / "8")

    assert [path.name for path in small_disk.iterdir()] == ["7"]
    assert checkpoint.validate(small_disk / "7") is None
    assert capfd.readouterr().err == ""
