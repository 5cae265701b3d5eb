"""The run folder: what may start in it, and checkpoints that come back as they were saved."""

import dataclasses
import hashlib
import json
import re
import shutil
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nmt import configfile
from nmt.checkpoints import TrainingProgress
from nmt.config import TrainedTokenizerConfig
from nmt.data import tokenizer_training
from nmt.errors import RunError, UserError
from nmt.model.build import build_model
from nmt.run import Run
from nmt.trained import opened
from nmt.training.state import init_state

LINES = ["der Hund schläft", "die Katze schläft nie", "ein Vogel singt", "kein Hund singt je"]


@pytest.fixture(scope="module")
def tokenizers():
    return tokenizer_training.train(
        LINES, LINES, TrainedTokenizerConfig(vocabulary_size=30, byte_fallback=False)
    )


def config(folder, *overrides):
    """The configuration that a file with these overrides gives."""
    path = folder / "small.yaml"
    path.write_text(
        f"""
        run: {folder / "run"}
        data: {{train: texts/train, validation: texts/val}}
        model: {{embedding_size: 4, encoder: {{hidden_size: 3}}, decoder: {{hidden_size: 5}}}}
        training: {{gradient_accumulation: 2}}
        """
    )
    return configfile.load(path, overrides)


@pytest.fixture
def run(tmp_path, tokenizers):
    run = Run.start(config(tmp_path))
    run.create(tokenizers)
    return run


def arrays():
    return {
        "weights": jnp.arange(6.0).reshape(2, 3) / 7,
        "step": jnp.array(3),
        "half": jnp.array([1 / 3], jnp.float16),
    }


def assert_same(found, expected):
    assert jax.tree.structure(found) == jax.tree.structure(expected)
    for one, other in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))


def test_nothing_is_written_before_the_run_is_created(tmp_path):
    run = Run.start(config(tmp_path))

    assert not run.started
    assert not run.path.exists()


def test_a_path_is_no_configuration():
    with pytest.raises(TypeError, match=r"a training takes a Config, as nmt\.load_.*, not str"):
        Run.start("configs/demo.yaml")


def test_a_created_run_opens_with_its_configuration_and_tokenizer(tmp_path, run, tokenizers):
    opened = Run.open(tmp_path / "run")

    assert opened.started
    assert opened.config == run.config
    assert opened.tokenizers().fingerprint == tokenizers.fingerprint
    assert opened.metrics_path == tmp_path / "run" / "metrics.jsonl"


def test_a_start_that_was_cut_off_leaves_a_folder_that_may_become_a_run(tmp_path, tokenizers):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "lock").touch()
    (tmp_path / "run" / "lock.holder").touch()
    (tmp_path / "run" / "config.yaml.part").write_text("data: {tra")
    (tmp_path / "run" / "tokenizer.part").mkdir()

    run = Run.start(config(tmp_path))
    run.create(tokenizers)

    assert Run.open(run.path).config == run.config


def test_a_run_is_locked_for_one_training_at_a_time(run):
    with (
        run.lock(),
        pytest.raises(RunError, match="run: the run folder is in use by another training"),
    ):
        run.lock().__enter__()

    with run.lock():
        assert (run.path / "lock.holder").read_text().startswith("process ")


def test_the_same_configuration_goes_on(tmp_path, run):
    assert Run.start(config(tmp_path)).path == run.path


def test_an_empty_folder_may_become_a_run(tmp_path):
    (tmp_path / "run").mkdir()

    assert not Run.start(config(tmp_path)).started


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_is_not_a_run_is_left_alone(tmp_path, kind):
    if kind == "folder":
        (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.tex" if kind == "folder" else tmp_path / "run").write_text("…")

    with pytest.raises(RunError, match="run: exists and is not a run folder; name another"):
        Run.start(config(tmp_path))


@pytest.mark.parametrize("place", ["/proc/run", "small.yaml/run"])
def test_a_folder_that_cannot_be_made_is_named(tmp_path, monkeypatch, tokenizers, place):
    monkeypatch.chdir(tmp_path)
    given = config(tmp_path, f"run={place}")
    message = rf"{place}: cannot be made \(.+\); name another folder with run="

    with pytest.raises(RunError, match=message):
        Run.start(given).check_place()
    run = Run(Path(place), given)  # it could be made when the training began
    with pytest.raises(RunError, match=message):
        run.lock()
    with pytest.raises(RunError, match=message):
        run.create(tokenizers)


def test_a_file_in_the_place_of_the_tokenizer_is_an_error_of_the_folder(tmp_path, tokenizers):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "tokenizer.part").touch()

    with pytest.raises(RunError, match=r"run: cannot be made \(File exists\)"):
        Run.start(config(tmp_path)).create(tokenizers)


@pytest.mark.parametrize(
    "override",
    [
        "training.max_steps=7",
        "training.max_epochs=3",
        "training.patience=null",
        "training.max_skipped_updates=3",
        "training.log_every=1",
        "training.attention_images=0",
        "training.extend=true",
        "training.keep=3",
        "data.test=texts/test",
    ],
)
def test_how_long_it_trains_and_what_is_shown_may_change(tmp_path, run, tokenizers, override):
    changed = config(tmp_path, override)

    Run.start(changed).create(tokenizers)

    assert changed != run.config
    assert Run.open(run.path).config == changed


def test_a_run_that_goes_on_keeps_the_decoding_settings_of_its_own_file(tmp_path, run, tokenizers):
    path = run.path / "config.yaml"
    path.write_text(
        path.read_text().replace("beam: 5", "beam: 8").replace("prune: null", "prune: 3")
    )

    going_on = Run.start(config(tmp_path, "decoding.length_penalty=gnmt"))
    going_on.create(tokenizers)

    kept = Run.open(run.path).config.decoding
    assert (kept.beam, kept.prune, kept.length_penalty.kind) == (8, 3, "average")
    assert going_on.config.decoding == kept  # validation translates by them
    told = "as in its config.yaml, not {}; edit that file to change it"
    assert going_on.notes == [
        f"{run.path}: decoding.beam stays 8 {told.format(5)}",
        f"{run.path}: decoding.length_penalty.alpha stays 1.0 {told.format('0.6')}",
        f"{run.path}: decoding.length_penalty.kind stays average {told.format('gnmt')}",
        f"{run.path}: decoding.prune stays 3.0 {told.format(None)}",
    ]


def test_what_changes_when_a_run_goes_on_is_said_in_one_line(tmp_path, run):
    changed = Run.start(config(tmp_path, "training.max_epochs=22", "training.patience=null"))

    assert changed.notes == [
        f"{run.path}: training.max_epochs: 20 -> 22; training.patience: 10 -> None"
    ]
    assert Run.start(config(tmp_path)).notes == []


def test_a_run_may_move(tmp_path, run):
    shutil.move(run.path, tmp_path / "elsewhere")

    moved = Run.start(config(tmp_path, f"run={tmp_path / 'elsewhere'}"))

    assert moved.started


def test_the_configuration_in_a_run_folder_is_about_this_folder(tmp_path, run, monkeypatch):
    copied = shutil.copytree(run.path, tmp_path / "copied")

    assert configfile.load(copied / "config.yaml").run == str(copied)
    assert configfile.load(copied / "config.yaml", ["run=new"]).run == "new"
    monkeypatch.chdir(copied)
    assert Run.start(configfile.load("config.yaml")).stored is not None


@pytest.mark.parametrize(
    ("override", "named"),
    [
        ("seed=2", "seed: 1 -> 2"),
        ("data.train=texts/more", "data.train.path: texts/train -> texts/more"),
        ("tokenizer.kind=bpe", "tokenizer.kind: unigram -> bpe"),
        ("model.dropout=0.1", "model.dropout.rate: 0.3 -> 0.1"),
        ("training.learning_rate=0.1", "training.learning_rate: 0.0005 -> 0.1"),
        ("training.validate_every=9", "training.validate_every: 500 -> 9"),
        ("training.schedule.warmup_steps=9", "training.schedule.warmup_steps: 0 -> 9"),
        ("training.ema=0.9", "training.ema: None -> 0.9"),
        ("training.r_drop={}", "training.r_drop.weight: None -> 5.0"),
        ("training.optimizer=sgd", "training.optimizer.kind: adam -> sgd"),
    ],
)
def test_what_was_trained_may_not_change(tmp_path, run, override, named):
    message = rf"run: holds a run of another configuration \({named}\); name another folder"

    with pytest.raises(RunError, match=message):
        Run.start(config(tmp_path, override))


def test_a_test_set_that_is_left_out_of_training_may_not_change(tmp_path, tokenizers):
    for clean, may in (("{held_out: null}", True), ("{}", False)):
        run = f"run={tmp_path / str(may)}"
        Run.start(config(tmp_path, run, f"data.clean={clean}")).create(tokenizers)
        given = config(tmp_path, run, f"data.clean={clean}", "data.test=texts/test")

        if may:
            assert Run.start(given).stored is not None
        else:
            with pytest.raises(RunError, match=r"\(data\.test\.path: None -> texts/test; "):
                Run.start(given)


def test_a_missing_folder_is_no_run(tmp_path):
    with pytest.raises(RunError, match="nowhere: no such run folder; `nmt train CONFIG` makes one"):
        Run.open(tmp_path / "nowhere")


def test_a_folder_that_cannot_be_looked_into_is_named(tmp_path):
    # As root may look into any folder, a name that is too long stands for such a one.
    path = tmp_path / ("x" * 256)
    message = rf"^{re.escape(str(path))}: cannot be read \(File name too long\)$"

    for look in (Run.open, opened, lambda path: Run.start(config(tmp_path, f"run={path}"))):
        with pytest.raises(RunError, match=message):
            look(path)


@pytest.mark.parametrize(
    ("part", "named", "read"),
    [
        ("metrics.jsonl", "metrics.jsonl", Run.records),
        ("tokenizer/joint.model", "tokenizer", Run.tokenizers),
        ("checkpoints/best", "checkpoints/best", lambda run: run.progress("best")),
    ],
)
def test_a_part_that_cannot_be_looked_into_is_named(tmp_path, part, named, read):
    run = Run(tmp_path / "run", config(tmp_path))
    path = run.path / part
    path.parent.mkdir(parents=True)
    path.symlink_to("x" * 256)

    message = rf"^{re.escape(str(run.path / named))}: cannot be read \(File name too long\)$"
    with pytest.raises(UserError, match=message):
        read(run)


def test_a_folder_without_configuration_is_no_run(tmp_path):
    with pytest.raises(RunError, match=r"not a run folder \(it has no config.yaml\)"):
        Run.open(tmp_path)


def test_a_train_state_comes_back_bit_for_bit(run, tokenizers):
    state = init_state(run.config, build_model(run.config, tokenizers))
    random = np.random.default_rng(0)
    state = jax.tree.map(lambda x: x + jnp.asarray(random.normal(size=x.shape), x.dtype), state)
    progress = TrainingProgress(step=7, tokenizer=tokenizers.fingerprint)

    run.save("last", {"state": state}, progress)

    template = init_state(run.config, build_model(run.config, tokenizers))
    assert_same(run.restore("last", {"state": template})["state"], state)


def test_arrays_keep_their_types(run, tokenizers):
    run.save("best", {"params": arrays()}, TrainingProgress(tokenizer=tokenizers.fingerprint))

    template = jax.tree.map(jnp.zeros_like, arrays())
    assert_same(run.restore("best", {"params": template})["params"], arrays())


@pytest.mark.parametrize("best", [None, 12.3456789])
def test_the_position_comes_back(run, best):
    progress = TrainingProgress(
        epoch=1,
        part=11,
        batch=2,
        stream={"read": 12, "lanes": [{"epoch": 13}, None]},
        batches=3,
        step=4,
        validated=False,
        best=best,
        best_perplexity=best and best + 1,
        best_step=5,
        bad_validations=6,
        bad_validations_since_cut=7,
        zero_validations=8,
        tokenizer="9",
        training_text="14",
        validation_text="15",
        pending_log={"loss": 9.5, "nll": 0.1, "tokens": 1 / 3},
        total_steps=16,
        averaged=[10, 11],
    )
    assert len(set(map(str, dataclasses.astuple(progress)))) == 19 - (best is None)

    run.save("last", {"state": arrays()}, progress)

    assert run.progress("last") == progress


def test_there_is_no_position_before_the_first_checkpoint(run):
    run.save("last", {"state": arrays()}, TrainingProgress())

    assert run.progress("best") is None


def names(run, which):
    return sorted(path.name for path in (run.path / "checkpoints" / which).iterdir())


def test_the_newest_two_checkpoints_of_a_kind_stay(run):
    run.save("best", {"state": arrays()}, TrainingProgress(batches=8))
    for batches in (8, 9, 10):
        run.save("last", {"state": arrays()}, TrainingProgress(batches=batches))

    assert names(run, "last") == ["10", "9"]
    assert names(run, "best") == ["8"]
    assert run.progress("last").batches == 10


def test_a_checkpoint_that_cannot_be_removed_is_named(tmp_path, run):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for batches in (1, 2):
        run.save("last", {"state": arrays()}, TrainingProgress(batches=batches))
    old = run.path / "checkpoints" / "last" / "0"
    old.symlink_to(elsewhere)  # which is not removed as a folder is

    with pytest.warns(UserWarning, match=rf"^{old}: cannot be removed \("):
        run.save("last", {"state": arrays()}, TrainingProgress(batches=3))

    assert run.progress("last").batches == 3


def test_a_checkpoint_that_is_reached_again_is_written_again(run, tokenizers):
    # The power failed when `best` was written and `last` was not: training goes on before it.
    progress = TrainingProgress(batches=10, tokenizer=tokenizers.fingerprint)
    again = jax.tree.map(lambda x: x + 1, arrays())
    run.save("best", {"params": arrays()}, progress)

    run.save("best", {"params": again}, dataclasses.replace(progress, best=1.5))

    assert run.progress("best").best == 1.5
    assert_same(run.restore("best", {"params": arrays()})["params"], again)


def test_a_checkpoint_that_was_not_finished_does_not_count_and_goes_with_the_next(run):
    run.save("last", {"state": arrays()}, TrainingProgress(batches=10))
    folder = run.path / "checkpoints" / "last"
    shutil.copytree(folder / "10", folder / "20.part")
    assert run.progress("last").batches == 10

    run.save("last", {"state": arrays()}, TrainingProgress(batches=11))

    assert names(run, "last") == ["10", "11"]


def damage(run, which, batches):
    path = run.path / "checkpoints" / which / str(batches) / "progress.json"
    path.write_bytes(path.read_bytes()[:-1])


def test_a_damaged_checkpoint_is_named_and_the_one_before_it_is_read(run, tokenizers):
    for batches in (10, 20):
        progress = TrainingProgress(batches=batches, tokenizer=tokenizers.fingerprint)
        run.save("best", {"params": {"weights": jnp.full(3, batches)}}, progress)
    damage(run, "best", 20)

    named = r"best/20: the checkpoint is damaged \(progress.json: checksum mismatch\); using 10"
    with pytest.warns(UserWarning, match=named):
        restored = run.restore("best", {"params": {"weights": jnp.zeros(3, jnp.int32)}})
    with pytest.warns(UserWarning, match=named):
        assert run.progress("best").batches == 10

    np.testing.assert_array_equal(restored["params"]["weights"], [10, 10, 10])


def found(run, step):
    with pytest.raises(RunError) as error:
        run.checkpoints.find(step)
    return str(error.value)


def test_a_damaged_checkpoint_of_a_step_is_called_damaged(run):
    for kind, step in (("last", 1), ("kept", 2), ("kept", 3)):
        run.save(kind, {"params": arrays()}, TrainingProgress(batches=2 * step, step=step))
    kept = run.path / "checkpoints" / "kept"
    with (kept / "4" / "params.safetensors").open("ab") as file:
        file.write(b"0")
    of_4 = f"{kept / '4'}: the checkpoint is damaged (params.safetensors: checksum mismatch)"
    (kept / "6" / "progress.json").unlink()
    of_6 = f"{kept / '6'}: the checkpoint is damaged (progress.json is missing)"

    # What the step of 6 was is not known any more.
    assert found(run, 2) == (
        f"{run.path}: has no intact checkpoint of step 2; those it has: 1; {of_6}; {of_4}: restore "
        "it from a copy"
    )
    assert found(run, 3) == (
        f"{run.path}: has no intact checkpoint of step 3; those it has: 1; {of_6}: restore it from "
        "a copy"
    )
    shutil.rmtree(kept / "6")
    assert found(run, 7) == f"{run.path}: has no checkpoint of step 7; those it has: 1"


def test_a_damaged_checkpoint_of_an_absurd_size_is_not_read_for_its_step(run):
    run.save("kept", {"params": arrays()}, TrainingProgress(batches=4, step=2))
    path = run.path / "checkpoints" / "kept" / "4" / "manifest.json"
    with path.open("ab") as file:
        file.truncate(2**42)

    assert "the checkpoint is damaged (4,398,046,511,104 bytes are more than the" in found(run, 2)


def test_a_whole_checkpoint_of_a_step_is_found_beside_a_damaged_one(run):
    for kind in ("best", "kept"):
        run.save(kind, {"params": arrays()}, TrainingProgress(batches=4, step=2))
    damage(run, "best", 4)

    assert run.checkpoints.find(2).folder == run.path / "checkpoints" / "kept" / "4"


def test_what_a_damaged_checkpoint_has_made_undone_goes_with_the_next(run):
    for batches in (10, 20):
        run.save("last", {"state": arrays()}, TrainingProgress(batches=batches))
    damage(run, "last", 20)

    run.save("last", {"state": arrays()}, TrainingProgress(batches=15))

    assert names(run, "last") == ["10", "15"]
    assert run.progress("last").batches == 15


def test_without_a_whole_checkpoint_nothing_starts_from_scratch(run):
    for batches in (10, 20):
        run.save("last", {"state": arrays()}, TrainingProgress(batches=batches))
        damage(run, "last", batches)

    with pytest.raises(RunError, match=r"last/20: .*last/10: .*: restore one from a copy, or"):
        run.progress("last")


@pytest.mark.parametrize("text", ["", "[]", '{"pending_log": 1}', '{"pending_log": {}, "more": 1}'])
def test_a_position_that_nmt_has_not_written_is_named(run, text):
    run.save("last", {"state": arrays()}, TrainingProgress(batches=10))
    folder = run.path / "checkpoints" / "last" / "10"
    (folder / "progress.json").write_text(text)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"]["progress.json"] = hashlib.sha256(text.encode()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))

    with pytest.raises(RunError, match=r"10: its progress is intact, but not written by nmt"):
        run.progress("last")


def test_a_run_that_was_not_validated_has_no_best_checkpoint(run):
    run.save("last", {"params": arrays()}, TrainingProgress(step=3))

    with pytest.warns(UserWarning, match=r"no validation yet, so .* using the last one, of step 3"):
        run.checkpoints.find("best")


def test_a_name_that_no_checkpoint_has_is_named(run):
    message = "a checkpoint is one of best, last, averaged, or a step as a number, not '256'"
    with pytest.raises(RunError, match=message):
        run.checkpoints.find("256")


def test_a_run_without_checkpoint_says_so(run):
    with pytest.raises(RunError, match="has no checkpoint yet; `nmt train` saves the first"):
        run.restore("best", {"params": arrays()})


def test_another_tokenizer_is_refused(run):
    run.save("best", {"params": arrays()}, TrainingProgress(tokenizer="of another text"))

    with pytest.raises(RunError, match=r"its tokenizer is not the one .* put back the original"):
        run.restore("best", {"params": arrays()})


@pytest.mark.parametrize(
    ("template", "difference"),
    [
        (
            {**arrays(), "weights": jnp.zeros((2, 4))},
            r"weights: \(2, 3\) float32 in the checkpoint, \(2, 4\) float32 by config.yaml",
        ),
        (
            {**arrays(), "more": jnp.zeros(1)},
            r"more: no such array in the checkpoint, \(1,\) float32 by config.yaml",
        ),
        (
            {"weights": jnp.zeros((2, 3))},
            r"half: \(1,\) float16 in the checkpoint, no such array by config.yaml",
        ),
    ],
    ids=["another shape", "an array more", "arrays fewer"],
)
def test_another_model_is_refused(run, tokenizers, template, difference):
    run.save("best", {"params": arrays()}, TrainingProgress(tokenizer=tokenizers.fingerprint))

    with pytest.raises(
        RunError, match=rf"best/0: checkpoint of another model \({difference}\); put"
    ):
        run.restore("best", {"params": template})
