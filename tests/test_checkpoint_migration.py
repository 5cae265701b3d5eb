"""Checkpoints of format 2: their arrays are found under the names of today, and read with care."""

import json
import shutil
import zipfile
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nmt import checkpoint, configfile
from nmt.checkpoint_migration import migrated, migrated_progress
from nmt.config.migration import migrated as migrated_config
from nmt.data import files
from nmt.errors import RunError
from nmt.model.seq2seq import build
from nmt.training.state import init_state

# Such as there may be: of parameters, and of a field.
RENAMES = {
    r"decoder\.layers\.(\d+)\.recurrent": r"decoder.stack.cells.\1.recurrent",
    r"^baseline": "objectives.reinforce",
}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("decoder.layers.0.recurrent", "decoder.stack.cells.0.recurrent"),
        ("decoder.layers.12.recurrent.value", "decoder.stack.cells.12.recurrent.value"),
        (
            "state.optimizer.1.mu.decoder.layers.0.recurrent.value",
            "state.optimizer.1.mu.decoder.stack.cells.0.recurrent.value",
        ),
        ("baseline", "objectives.reinforce"),
        *[
            (kept, kept)
            for kept in (
                "encoder.layers.0.recurrent",
                "decoder.layers.0.recurrent_bias",
                "my_decoder.layers.0.recurrent",
                "decoder.layers.x.recurrent",
                "attention.baseline",
                "baselines",
            )
        ],
    ],
)
def test_whole_components_are_renamed_anywhere_in_a_name(old, new):
    array = np.ones(2)

    assert migrated({old: array, "step": array}, RENAMES) == {new: array, "step": array}


def test_renames_follow_one_after_the_other():
    array = np.ones(2)

    assert migrated({"a.x": array}, {"a": "b", r"b\.x": "c"}).keys() == {"c"}


def test_two_arrays_do_not_become_one():
    with pytest.raises(ValueError, match="two of its arrays have one name"):
        migrated({"a": np.ones(1), "b": np.ones(1)}, {"a": "b"})


def test_what_has_come_since_is_added_to_what_was_renamed():
    def doubled(arrays):
        return {"double": 2 * arrays["b"]}

    found = migrated({"a": np.ones(2)}, {"a": "b"}, [doubled])

    assert found.keys() == {"b", "double"}
    np.testing.assert_array_equal(found["double"], [2, 2])


# The names and shapes of what commit 61b3f7b saved for three networks, two updates a batch apart.
OLD = json.loads((Path(__file__).parent / "data" / "arrays-of-format-2.json").read_text())


@pytest.mark.parametrize("name", OLD)
def test_every_array_of_format_2_has_its_place_in_the_state_of_today(name):
    config = configfile.validate(migrated_config(OLD[name]["config"]))
    model = build(config.model, source=9, target_size=9, seed=1)
    state = init_state(config, model)
    wanted = {
        jax.tree_util.keystr(path, simple=True, separator="."): leaf.shape
        for path, leaf in jax.tree_util.tree_leaves_with_path(state.items())
    }

    found = {
        f"{tree}.{array}": values.shape
        for tree, arrays in OLD[name]["arrays"].items()
        for array, values in migrated(
            {key: np.ones(shape) for key, shape in arrays.items()}
        ).items()
        if not array.startswith("pending.")  # gradients between two updates, no longer saved
    }

    assert found == wanted


def test_the_bias_that_neural_coverage_did_not_have_is_zero():
    old = {"decoder.attention.coverage.recurrent.kernel": np.ones((3, 9), np.float32)}

    found = migrated(old)

    bias = found.pop("decoder.attention.coverage.cell.proposal_bias")
    np.testing.assert_array_equal(bias, np.zeros(3, np.float32))
    assert found.keys() == {"decoder.attention.coverage.cell.recurrent"}


def test_sums_that_had_no_names_have_them_now():
    found = migrated_progress({"stale": 2, "plateau": 1, "unlogged": [3.0, 2.0, 5.0]})

    assert found == {
        "bad_validations": 2,
        "bad_validations_since_cut": 1,
        "pending_log": {"loss": 3.0, "nll": 2.0, "tokens": 5.0},
    }


def test_fields_of_a_position_are_renamed():
    assert migrated_progress({"a": 1, "step": 2}, {"a": "b"}) == {"b": 1, "step": 2}


ARRAYS = {
    "weights": np.arange(6, dtype=np.float32).reshape(2, 3) / 7,
    "step": np.array(3, np.int32),
    "half": np.array([1 / 3], np.float16),
}
TEMPLATE = {name: jnp.zeros(array.shape, array.dtype) for name, array in ARRAYS.items()}


def write_format_2(folder, **trees):
    """Writes a checkpoint as it was before this format."""
    folder.mkdir()
    for name, arrays in trees.items():
        np.savez(folder / f"{name}.npz", **arrays)
    (folder / "position.json").write_text('{"step": 3}')
    digests = {path.name: files.digest(path) for path in folder.iterdir()}
    (folder / checkpoint.MANIFEST).write_text(json.dumps({"format": 2, "files": digests}))


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A checkpoint that every test must leave as it is."""
    folder = tmp_path_factory.mktemp("checkpoints") / "7"
    write_format_2(folder, params=ARRAYS, rest=ARRAYS)
    return folder


@pytest.fixture
def copy(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "7")


def test_a_checkpoint_of_format_2_is_read(whole):
    assert checkpoint.validate(whole) is None
    assert checkpoint.progress(whole) == {"step": 3}

    found = checkpoint.read(whole, {"params": TEMPLATE})["params"]

    assert found.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert found[name].dtype == TEMPLATE[name].dtype
        np.testing.assert_array_equal(found[name], array)


def test_a_field_that_it_does_not_have_stays_as_it_is(whole):
    found = checkpoint.read(whole, {"rest": {**TEMPLATE, "more": jnp.array(5)}})["rest"]

    assert found["more"] == 5
    np.testing.assert_array_equal(found["weights"], ARRAYS["weights"])


def test_another_model_is_refused(whole):
    with pytest.raises(
        RunError, match=r"7: checkpoint of another model \(weights: \(2, 3\) float32 in the check"
    ):
        checkpoint.read(whole, {"params": {**TEMPLATE, "weights": jnp.zeros((3, 2))}})


@settings(max_examples=60)
@given(data=st.data())
def test_a_file_that_nmt_has_not_written_is_named_whatever_it_holds(whole, data):
    path = whole / "params.npz"
    before = path.read_bytes()
    start = data.draw(st.integers(0, len(before)))
    after = before[:start] + data.draw(st.binary(max_size=40)) + before[start + 3 :]
    refused, found = str(whole), {"params": ARRAYS}
    try:
        path.write_bytes(after)
        found = checkpoint.read(whole, {"params": TEMPLATE})
    except RunError as error:
        refused = str(error)
    finally:
        path.write_bytes(before)

    assert str(whole) in refused
    np.testing.assert_array_equal(found["params"]["weights"], ARRAYS["weights"])


def write_header(path, header):
    """Writes an npz of one array that has a header and nothing else."""
    with zipfile.ZipFile(path, "w") as archive, archive.open("weights.npy", "w") as file:
        file.write(np.lib.format.magic(1, 0) + len(header).to_bytes(2, "little") + header.encode())


@pytest.mark.parametrize(
    ("shape", "reason"),
    [
        ("(1000000000000000,)", "it claims 4,000,000,000,000,000 bytes of arrays"),
        ("(-1000000000000000,)", "it claims 4,000,000,000,000,000 bytes of arrays"),
        ("(2,", ".*"),
        ("(2,)}" + "}" * 9, ".*"),
    ],
)
def test_a_header_that_makes_no_sense_is_named_before_arrays_are_read(copy, shape, reason):
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}}}"
    write_header(copy / "params.npz", header)

    with pytest.raises(RunError, match=rf"params.npz: intact, but not written by nmt \({reason}\)"):
        checkpoint.read(copy, {"params": TEMPLATE})


def test_arrays_of_objects_are_not_unpickled(copy, tmp_path):
    class Harmful:
        def __reduce__(self):
            return Path.touch, (tmp_path / "mark",)

    np.savez(copy / "params.npz", weights=np.array([Harmful()]))

    with pytest.raises(RunError, match=r"params.npz: intact, but not written by nmt \(Object arr"):
        checkpoint.read(copy, {"params": TEMPLATE})

    assert not (tmp_path / "mark").exists()
