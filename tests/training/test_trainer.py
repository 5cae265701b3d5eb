"""The loop: when it validates, cuts, stops and goes on, with the same result as without a stop."""

import json

import jax
import numpy as np
import pytest
from flax import nnx
from members import Second
from tiny import tree, write_corpus, write_side_by_side

from nmt import configfile
from nmt.checkpoints import TrainingProgress
from nmt.errors import ConfigError, DataError, Interrupted, RunError
from nmt.evaluation.metrics import MetricScore
from nmt.model.build import build_model
from nmt.run import Run
from nmt.training import agreement, validation
from nmt.training.session import train
from nmt.training.validation import Report, update_best

pytestmark = pytest.mark.usefixtures("compiled_once")

ZERO = (
    r"run: BLEU is still zero at step 20, although perplexity has fallen to \d+\.\d; either its "
    r"tokenizer, 13a, does not suit the target language \(data\.bleu_tokenizer\), or translations "
    r"are empty or in another script"
)
NOT_REPEATABLE = ("train/tokens_per_second", "train/peak_memory_mib", "validation/seconds")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return write_corpus(tmp_path_factory.mktemp("corpus"))


def settings(run, corpus, **training):
    """Those that trainings here share, and with them the compiled steps, where they can."""
    shared = {"learning_rate": 0.01, "max_epochs": None, "log_every": 1}
    return tree(run, corpus, **{**shared, **training})


def config(run, corpus, **training):
    return configfile.validate(settings(run, corpus, **training))


def records(run, kind):
    """The records of a kind, without what a clock has measured."""
    lines = run.metrics_path.read_text(encoding="utf-8").splitlines()
    return [
        {name: value for name, value in record.items() if name not in NOT_REPEATABLE}
        for record in map(json.loads, lines)
        if any(name.startswith(kind) for name in record)
    ]


def parameters(run, which):
    template = nnx.state(build_model(run.config, run.tokenizers()), nnx.Param)
    return [np.asarray(leaf) for leaf in jax.tree.leaves(run.restore(which, {"params": template}))]


@pytest.fixture(scope="module")
def whole(tmp_path_factory, corpus):
    """A run of twenty steps, two and a half epochs, which learns no whole word."""
    path = tmp_path_factory.mktemp("whole") / "run"
    with pytest.warns(UserWarning, match=ZERO):
        return train(config(path, corpus, max_steps=20, validate_every=5))


@pytest.fixture(scope="module")
def stopped(tmp_path_factory, corpus):
    """The same in two sessions of ten steps, the first one ending amid an epoch."""
    path = tmp_path_factory.mktemp("stopped") / "run"
    train(config(path, corpus, max_steps=10, validate_every=5))
    assert Run.open(path).progress("last").batch == 2
    with pytest.warns(UserWarning, match=ZERO):
        return train(config(path, corpus, max_steps=20, validate_every=5))


@pytest.fixture(scope="module")
def stalled(tmp_path_factory, corpus):
    """A run that cannot learn: its steps are too small to move a float32."""
    return train(
        config(
            tmp_path_factory.mktemp("stalled") / "run",
            corpus,
            learning_rate=1e-30,
            max_steps=100,
            validate_every=1,
            metric="perplexity",
            patience=6,
            schedule={"kind": "plateau", "patience": 1, "factor": 0.5},
        )
    )


def test_a_resumed_run_ends_with_the_parameters_of_one_without_a_stop(whole, stopped):
    for which in ("best", "last"):
        assert stopped.progress(which) == whole.progress(which)
        for one, other in zip(parameters(stopped, which), parameters(whole, which), strict=True):
            np.testing.assert_array_equal(one, other)


def test_a_resumed_run_logs_what_one_without_a_stop_does(whole, stopped):
    assert records(stopped, "train/") == records(whole, "train/")
    assert records(stopped, "validation/") == records(whole, "validation/")


def test_the_records_are_those_of_each_step_and_each_validation(whole):
    assert [record["step"] for record in records(whole, "train/")] == list(range(1, 21))
    validations = records(whole, "validation/")
    assert [record["step"] for record in validations] == [5, 10, 15, 20]
    assert validations[0]["validation/bleu_signature"].startswith("nrefs:1|case:mixed")


def test_the_loss_and_the_perplexity_fall(whole):
    losses = [record["train/loss"] for record in records(whole, "train/")]
    perplexities = [record["validation/perplexity"] for record in records(whole, "validation/")]

    assert losses[0] == pytest.approx(np.log(14), abs=0.7)  # all pieces are as likely
    assert losses[-1] < losses[0] - 0.3
    assert perplexities == sorted(perplexities, reverse=True)


def test_the_best_checkpoint_holds_the_parameters_of_its_step(tmp_path, corpus):
    run = train(config(tmp_path / "run", corpus, learning_rate=0.5, max_steps=3, validate_every=1))

    # With a rate so high the perplexity rises, and BLEU is zero.
    perplexities = [record["validation/perplexity"] for record in records(run, "validation/")]
    assert min(perplexities) < perplexities[-1]
    best = 1 + perplexities.index(min(perplexities))
    assert run.progress("best").step == run.progress("last").best_step == best
    pairs = zip(parameters(run, "best"), parameters(run, "last"), strict=True)
    assert not any(np.array_equal(best, last) for best, last in pairs)


def test_of_equal_scores_the_one_of_lower_perplexity_is_the_best(whole):
    assert {record["validation/bleu"] for record in records(whole, "validation/")} == {0.0}
    assert whole.progress("best").step == whole.progress("last").best_step == 20
    assert whole.progress("last").bad_validations == 0


def test_training_stops_when_its_patience_is_used_up(stalled):
    # The first validation is the best there is; six without a better one follow.
    assert stalled.progress("last").step == 7
    assert stalled.progress("best").step == 1


def test_the_rate_is_cut_after_validations_without_improvement(stalled):
    rates = [record["train/learning_rate"] for record in records(stalled, "train/")]

    # The first validation is the best, the second is put up with, the third cuts, and so on.
    assert [rate / 1e-30 for rate in rates] == pytest.approx([1, 1, 1, 0.5, 0.5, 0.25, 0.25])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("whole", "run: already trained to step 20 of 20; raise training.max_steps"),
        ("stalled", "run: already trained to step 7 of 100; raise training.max_steps"),
    ],
)
def test_a_finished_run_says_how_to_go_on(request, capsys, name, message):
    run = request.getfixturevalue(name)
    before = run.metrics_path.read_bytes()

    train(run.config)

    assert message in capsys.readouterr().err
    assert run.metrics_path.read_bytes() == before


def test_accumulated_batches_are_counted_apart_from_steps(tmp_path, corpus):
    given = {"gradient_accumulation": 3, "max_epochs": 1, "validate_every": 5}

    run = train(config(tmp_path / "run", corpus, **given))

    # An epoch has eight batches: two steps, and two batches that make none.
    progress = run.progress("last")
    assert (progress.step, progress.batches, progress.batch) == (2, 6, 6)
    assert [record["step"] for record in records(run, "validation/")] == [2]


def test_a_rate_that_is_far_too_high_ends_the_run(tmp_path, corpus):
    given = {
        "optimizer": "sgd",
        "learning_rate": 1e30,
        "clip_norm": None,
        "max_skipped_updates": 3,
    }

    # Losses are read at the fourth step only; the validations before it save nothing.
    with pytest.raises(
        RunError, match=r"run: training diverges: 3 updates in .* nothing was saved"
    ):
        train(config(tmp_path / "run", corpus, max_steps=9, log_every=4, validate_every=2, **given))

    assert not (tmp_path / "run" / "checkpoints").exists()


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


OF_TWO = {"sentences": 16}  # so that each process has as many rows as one alone


@pytest.fixture
def at_once(monkeypatch):
    """Waits for no folder that a main process, which is not there, would have made."""
    monkeypatch.setattr(agreement, "CACHED", 0)


def test_a_process_that_is_not_the_main_one_writes_nothing(tmp_path, corpus, capfd, at_once):
    train(config(tmp_path / "run", corpus, **OF_TWO, max_steps=3, validate_every=2), Second())

    assert not (tmp_path / "run").exists()
    assert capfd.readouterr().err == ""


@pytest.mark.slow
def test_nor_does_it_in_a_run_that_goes_on(tmp_path, corpus, capfd):
    run = train(config(tmp_path / "run", corpus, max_steps=2, validate_every=2))
    before = contents(run.path)
    capfd.readouterr()

    train(config(run.path, corpus, max_steps=4, validate_every=2), Second())

    assert contents(run.path) == before
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("is_main", [True, False])
def test_a_process_stops_when_another_one_is_asked_to(tmp_path, corpus, is_main, at_once):
    asked = Second(is_main=is_main, others=True)

    with pytest.raises(Interrupted, match="SIGTERM: stopped after step 1, saved; the same") as stop:
        train(config(tmp_path / "run", corpus, **OF_TWO, max_steps=9), asked)

    assert stop.value.signal == "SIGTERM"
    assert (tmp_path / "run" / "checkpoints" / "last" / "1").exists() is is_main


def test_without_a_corpus_no_folder_is_made(tmp_path):
    with pytest.raises(DataError, match=r"train\.de: no such file"):
        train(config(tmp_path / "run", tmp_path, max_steps=1))

    assert not (tmp_path / "run").exists()


def test_a_model_that_cannot_be_built_leaves_no_run_behind(tmp_path, corpus):
    model = {"attention": {"score_options": {"hiden_size": 3}}}

    with pytest.raises(ConfigError, match="hiden_size"):
        train(config(tmp_path / "run", corpus, max_steps=1, model=model))

    # Another configuration may have the folder: it holds no run.
    assert not Run.start(config(tmp_path / "run", corpus, max_steps=1)).started


# Three letters of each side fit into the vocabulary of the other trainings.
UMLAUTS, THREE = (str.maketrans("abcdef", each * 2) for each in ("äöü", "abc"))


def test_the_tokenizer_is_trained_from_both_sides(tmp_path, corpus):
    lines = (corpus / "train.de").read_text().splitlines()
    sides = ([line.translate(letters) for line in lines] for letters in (UMLAUTS, THREE))
    write_side_by_side(tmp_path, "train", *sides)
    write_side_by_side(tmp_path, "val", ["öööö"] * 6, ["abca"] * 6)

    tokenizers = train(config(tmp_path / "run", tmp_path, max_steps=1)).tokenizers()

    for text in ("äöü", "abc"):
        assert tokenizers.source.unk not in tokenizers.source.encode(text)


def report(*, perplexity=9.0, bleu=0.0):
    return Report(perplexity=perplexity, bleu=MetricScore("BLEU", bleu, "signature"))


@pytest.mark.parametrize(
    ("metric", "better", "best"),
    [
        ("bleu", report(bleu=20.1), 20.1),
        ("perplexity", report(perplexity=4.9), -4.9),
    ],
)
def test_a_better_validation_becomes_the_best(metric, better, best):
    before = TrainingProgress(
        step=7,
        best=20.0 if metric == "bleu" else -5.0,
        bad_validations=3,
        bad_validations_since_cut=2,
    )

    after = update_best(before, better, metric=metric)

    assert after == TrainingProgress(
        step=7,
        best=best,
        best_perplexity=better.perplexity,
        best_step=7,
        bad_validations=0,
        bad_validations_since_cut=0,
    )


def test_a_first_validation_that_is_no_number_is_not_the_best():
    after = update_best(TrainingProgress(step=5), report(bleu=float("nan")), metric="bleu")

    assert (after.best, after.bad_validations) == (None, 1)


def test_the_first_validation_is_the_best_so_far():
    after = update_best(TrainingProgress(step=5), report(bleu=0.0), metric="bleu")

    assert (after.best, after.best_step, after.bad_validations) == (0.0, 5, 0)


@pytest.mark.parametrize("bleu", [20.0, 19.9, float("nan")])
def test_a_validation_that_is_no_better_is_counted(bleu):
    before = TrainingProgress(
        step=7, best=20.0, best_step=5, bad_validations=1, bad_validations_since_cut=0
    )

    after = update_best(before, report(bleu=bleu), metric="bleu")

    assert after == TrainingProgress(
        step=7, best=20.0, best_step=5, bad_validations=2, bad_validations_since_cut=1
    )


@pytest.mark.parametrize(
    ("best", "before", "bleu", "perplexity", "is_best"),
    [
        (0.0, 9.0, 0.0, 8.9, True),
        (0.0, 9.0, 0.0, 9.0, False),
        (0.0, 9.0, 0.0, 9.1, False),
        (0.0, 9.0, 0.0, float("nan"), False),
        (20.0, 9.0, 20.0, 8.9, True),
        (20.0, 9.0, 19.9, 1.0, False),
        (20.0, 9.0, 20.1, 99.0, True),
        (20.0, None, 20.0, 1.0, False),  # of an older checkpoint, which has no perplexity
    ],
)
def test_perplexity_decides_ties_only(best, before, bleu, perplexity, is_best):
    progress = TrainingProgress(step=7, best=best, best_perplexity=before, bad_validations=1)

    after = update_best(progress, report(bleu=bleu, perplexity=perplexity), metric="bleu")

    assert (after.best_step, after.bad_validations) == ((7, 0) if is_best else (0, 2))
    assert after.best_perplexity == (perplexity if is_best else before)


def test_zeros_are_counted_while_perplexity_falls():
    progress, counts = TrainingProgress(), []

    for bleu, perplexity in ((0, 9.0), (0, 8.0), (0, 8.5), (0.004, 7.0), (0.2, 6.0), (0, 5.0)):
        progress = update_best(progress, report(bleu=bleu, perplexity=perplexity), metric="bleu")
        counts.append(progress.zero_validations)

    assert counts == [0, 1, 1, 2, 2, 3]


def test_validation_splits_chinese_by_the_setting(tmp_path, corpus):
    for name in ("train", "val"):
        for old, new in {"de": "de", "en": "zh"}.items():
            (tmp_path / f"{name}.{new}").write_text((corpus / f"{name}.{old}").read_text())

    given = settings(tmp_path / "run", tmp_path, max_steps=1)
    given["data"] |= {"target": "zh", "bleu_tokenizer": "char"}
    (record,) = records(train(configfile.validate(given)), "validation/")

    assert "|tok:char|" in record["validation/bleu_signature"]


@pytest.mark.usefixtures("without_mecab")
def test_a_tokenizer_that_is_not_installed_stops_training_before_it_begins(tmp_path, corpus):
    given = settings(tmp_path / "run", corpus, max_steps=1)
    given["data"]["bleu_tokenizer"] = "ja-mecab"

    with pytest.raises(
        DataError, match=r'BLEU tokenizer ja-mecab needs pip install "sacrebleu\[ja\]"'
    ):
        train(configfile.validate(given))
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_a_picture_that_fails_loses_no_checkpoint(tmp_path, corpus, monkeypatch):
    monkeypatch.setattr(validation, "LONGEST_DRAWN", 5000)
    for path in corpus.iterdir():
        (tmp_path / path.name).write_text(path.read_text())
    # A picture has no room for so many rows: at 22 pixels each they are more than 65,536.
    write_side_by_side(tmp_path, "val", ["abc"], ["abcdef" * 700])
    given = config(tmp_path / "run", tmp_path, max_steps=1, attention_images=1)
    decoding = given.decoding.model_copy(update={"max_pieces": 5000})

    drawn = (
        r"run: the attention at step 1 cannot be plotted \(UserError: \d+ x \d+ pixels are too many"
    )
    with pytest.warns(UserWarning, match=drawn):
        run = train(given.model_copy(update={"decoding": decoding}))

    assert run.progress("last").step == run.progress("best").step == 1
