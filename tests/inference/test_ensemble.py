"""Ensembles: searches against all sequences of averaged tables, and runs loaded together."""

import itertools
import re
import shutil
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tables import EOS, MASK, PROCESSORS, SPECIALS, TableModel, assert_found
from tiny import changed_run, letters, tree, untrained_run

from nmt.config import TrainedTokenizerConfig
from nmt.data import tokenizer_training
from nmt.data.tokenizers import Tokenizers
from nmt.errors import ConfigError, DataError, RunError
from nmt.inference.beam import BeamSearch
from nmt.inference.ensemble import Ensemble
from nmt.inference.predictor import Source
from nmt.inference.ranking import Ranking
from nmt.inference.search import Search, Settings
from nmt.inference.shortlist import make
from nmt.inference.translator import Translator
from nmt.run import Run

LINES = ["a b c", "", "h g f e d c", "b", "c c", "a h b g c f"]
LENGTH = 4  # of the longest sequence of tables


class Tables:
    """A table as a predictor; each member of an ensemble starts in another row."""

    def __init__(self, table, first):
        self.table, self.first = table, first
        self.log_probs, self.attention = map(jnp.asarray, (table.log_probs, table.attention))

    def start(self, source):
        return (), jnp.asarray(source.tokens)[:, 0] + self.first

    def step(self, state, tokens, encoded):
        state = TableModel.next_row(state, tokens)
        return state, self.log_probs[state], self.attention[state]

    def read(self, state, tokens, lengths, encoded, *, bos):
        raise NotImplementedError

    def force(self, source, target, *, bos):
        raise NotImplementedError


def every_sequence(tables, sentence):
    """(score, tokens) of all that end, best first, then of all that are cut, by NumPy alone."""
    words = [list(itertools.product((3, 4, 5), repeat=length)) for length in range(LENGTH + 1)]
    ended = [(*each, EOS) for group in words[:-1] for each in group]
    return [pair for group in (ended, words[-1]) for pair in _ranked(tables, sentence, group)]


def _ranked(tables, sentence, sequences):
    scored = []
    for tokens in sequences:
        replayed = [each.table.replay(sentence + each.first, tokens)[0] for each in tables]
        log_prob = np.log(np.mean(np.exp(replayed), axis=0)).sum()
        scored.append((log_prob / len(tokens), tokens))
    return sorted(scored, reverse=True)


@pytest.mark.parametrize("seed", range(4))
def test_an_exact_search_finds_the_best_of_all_sequences(seed):
    tables = [Tables(TableModel(seed + 10 * place, ends=2.0), 100 * place) for place in range(3)]
    sentences = np.array([[3], [77]], np.int32)
    predictor = Ensemble(tables)
    encoded, state = predictor.start(Source(sentences, np.array([1, 1], np.int32)))
    search = partial(Search(n_best=5, **SPECIALS), processors=PROCESSORS)

    found = jax.jit(search, static_argnums=0, static_argnames="limit")(
        predictor.step,
        state,
        encoded,
        Settings(BeamSearch(81), Ranking(k=0.0, alpha=1.0, beta=0.0)),
        max_length=jnp.full(2, LENGTH),
        limit=LENGTH,
        source_mask=jnp.tile(jnp.array(MASK)[None, :], (2, 1)),
    )

    found = jax.tree.map(np.asarray, found)
    for row, (sentence,) in enumerate(sentences.tolist()):
        best = every_sequence(tables, sentence)
        assert_found(found, row, best[:5], beyond=best[5:6])
        tokens = best[0][1]
        attention = [each.table.replay(sentence + each.first, tokens)[1] for each in tables]
        np.testing.assert_allclose(
            found.attention[row, 0, : len(tokens)], np.mean(attention, axis=0), atol=1e-6
        )


def assert_same(ones, others, *, tolerance=1e-5):
    for one, other in zip(ones, others, strict=True):
        assert one.target_pieces == other.target_pieces
        assert one.score == pytest.approx(other.score, abs=tolerance)
        assert one.log_prob == pytest.approx(other.log_prob, abs=tolerance)
        np.testing.assert_allclose(one.attention, other.attention, atol=tolerance)


@pytest.mark.parametrize("settings", [{}, {"beam": 1}, {"coverage_penalty": 0.2}], ids=str)
def test_a_model_with_itself_is_the_model(copy_run, settings):
    alone = Translator.load(copy_run, **settings)
    twice = Translator.load([copy_run, copy_run], **settings)

    assert_same(twice.translate(LINES), alone.translate(LINES))
    assert_same(twice.align(LINES, LINES[::-1]), alone.align(LINES, LINES[::-1]))


def test_one_run_in_a_list_is_that_run(copy_run):
    one, listed = Translator.load(copy_run), Translator.load([copy_run])

    assert jax.tree.structure(one.loaded) == jax.tree.structure(listed.loaded)
    assert one.fingerprint == listed.fingerprint


def test_the_order_of_members_changes_nothing(copy_run, noisy_run):
    there = Translator.load([copy_run, noisy_run])
    back = Translator.load((noisy_run, copy_run))

    assert_same(there.translate(LINES), back.translate(LINES))
    assert [each.text for each in there.translate(LINES)] == LINES


def test_what_a_search_found_has_its_score_when_it_is_given(copy_run, noisy_run):
    ensemble = Translator.load([copy_run, noisy_run], coverage_penalty=0.1)
    found = ensemble.translate(LINES)

    assert_same(found, ensemble.align(LINES, [each.text for each in found]), tolerance=1e-4)


@pytest.mark.parametrize("method", ["attention", "shifted", "saliency"])
def test_an_explanation_is_the_mean_of_those_of_the_members(copy_run, noisy_run, method):
    runs = (copy_run, noisy_run)
    pairs = ["a b c", "d"], ["c b a", "d e"]

    found = Translator.load(runs).align(*pairs, method=method)
    singles = [Translator.load(run).align(*pairs, method=method) for run in runs]

    for each, *own in zip(found, *singles, strict=True):
        assert each.method == method
        expected = np.mean([one.attention for one in own], axis=0)
        np.testing.assert_allclose(each.attention, expected, atol=1e-5)


@pytest.fixture(scope="module")
def without_training(copy_run, tmp_path_factory):
    """Runs of random parameters with the vocabulary of the one that copies, by their mechanism."""
    folder = tmp_path_factory.mktemp("random")
    vocabulary = {"model": str(copy_run / "tokenizer" / "joint.model")}
    runs = {}
    for mechanism in ("none", "uniform", "hard"):
        settings = tree(folder / mechanism, folder, model={"attention": mechanism})
        runs[mechanism] = untrained_run({**settings, "tokenizer": vocabulary}, [])
    return runs


@pytest.mark.parametrize("first", ["global", "none"])
def test_a_member_without_weights_changes_neither_attention_nor_coverage(
    copy_run, without_training, first
):
    runs = [copy_run, without_training["none"]][:: 1 if first == "global" else -1]
    settings = {"coverage_penalty": 1.0, "length_penalty": "none"}
    pairs = ["a b c d", "h g f e d c"], ["c", "h g"]

    alone, both = (Translator.load(each, **settings) for each in (copy_run, runs))

    for method in ("attention", "shifted"):
        ones, twos = (each.align(*pairs, method=method) for each in (alone, both))
        for one, two in zip(ones, twos, strict=True):
            np.testing.assert_allclose(two.attention, one.attention, atol=1e-5)
            # Without a length penalty, a score is the log-probability and the coverage penalty.
            penalties = one.score - one.log_prob, two.score - two.log_prob
            assert penalties[0] < -0.1
            assert penalties[1] == pytest.approx(penalties[0], abs=1e-4)


def test_an_ensemble_without_any_weights_has_none(without_training):
    twice = Translator.load([without_training["none"]] * 2)

    for method in ("attention", "shifted"):
        found = twice.align("a b", "a b", method=method)
        np.testing.assert_array_equal(found.attention, np.zeros((3, 3)))


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(
    ("setting", "others", "able", "message"),
    [
        ("attention_seed", ("uniform", "none"), "hard",
         "UNIFORM: `decoding.attention_seed` has no effect with `mechanism: uniform`: leave it"),
        ("coverage_penalty", ("none", "none"), "uniform",
         "NONE: `decoding.coverage_penalty` sums the weights of attention, and `mechanism: none` "),
    ],
    ids=["seed", "coverage"],
)  # fmt: skip
def test_a_setting_needs_one_member_that_can_use_it_whatever_their_order(
    without_training, reverse, setting, others, able, message
):
    step = -1 if reverse else 1
    runs = [without_training[name] for name in (*others, able)][::step]
    unable = [without_training[name] for name in others][::step]
    message = message.replace("UNIFORM", str(without_training["uniform"]))
    message = message.replace("NONE", str(without_training["none"]))

    loaded = Translator.load(runs, **{setting: 3})
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}"):
        Translator.load(unable, **{setting: 3})

    assert getattr(loaded.config, setting) == 3


def test_the_settings_and_the_shortlist_are_those_of_the_first(copy_run, noisy_run, tmp_path):
    first = tmp_path / "first"
    shutil.copytree(copy_run, first)
    config = (first / "config.yaml").read_text()
    assert "\n  beam: 5\n" in config
    (first / "config.yaml").write_text(config.replace("\n  beam: 5\n", "\n  beam: 2\n"))
    make(Run.open(first))

    listed = Translator.load([first, noisy_run], shortlist=3)

    assert listed.config.beam == 2
    assert [each.text for each in listed.translate(LINES)] == LINES
    with pytest.raises(RunError, match=rf"{noisy_run}: decoding.shortlist needs the table"):
        Translator.load([noisy_run, first], shortlist=3)


def test_a_fingerprint_is_of_all_members(copy_run, noisy_run):
    runs = [[copy_run], [noisy_run], [copy_run, noisy_run], [copy_run, copy_run]]

    assert len({Translator.load(each).fingerprint for each in runs}) == len(runs)


@pytest.fixture(scope="module")
def foreign(copy_run, tmp_path_factory):
    """Runs of the same sizes with another vocabulary, and the order of the target reversed."""
    folder = tmp_path_factory.mktemp("foreign")
    vocabulary = TrainedTokenizerConfig(vocabulary_size=21, byte_fallback=False)
    lines = letters(2000, longest=6, seed=9)
    other = tokenizer_training.train(lines, lines, vocabulary)
    assert other.target.size == Run.open(copy_run).tokenizers().target.size
    mixed = Tokenizers(Run.open(copy_run).tokenizers().source, other.target)
    return {
        "other": changed_run(copy_run, folder / "other", tokenizers=other),
        "mixed": changed_run(copy_run, folder / "mixed", tokenizers=mixed),
        "reversed": changed_run(copy_run, folder / "reversed", reverse_target=True),
    }


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("other", "OTHER has another source and another target vocabulary than RUN, and the "
         "members of an ensemble share their pieces: train one with the models in RUN/tokenizer, "
         "or combine both with `nmt rescore`"),
        ("mixed", "OTHER has another target vocabulary than RUN, and the members"),
        ("reversed", "OTHER writes from right to left, and RUN from left to right, so they cannot "
         "be an ensemble: translate with --n-best by one of them, and rescore its translations by "
         "both with `nmt rescore`"),
    ],
)  # fmt: skip
def test_runs_that_do_not_fit_are_named_with_the_remedy(copy_run, foreign, name, message):
    expected = message.replace("RUN", str(copy_run)).replace("OTHER", str(foreign[name]))
    for runs in ([copy_run, foreign[name]], [copy_run, copy_run, foreign[name]]):
        with pytest.raises(DataError, match=f"^{re.escape(expected)}"):
            Translator.load(runs)


def test_no_runs_and_a_missing_one_are_named(copy_run, tmp_path):
    with pytest.raises(DataError, match="no run to load; give the path of a run folder, or of sev"):
        Translator.load([])
    with pytest.raises(RunError, match="absent: no such run folder"):
        Translator.load([copy_run, tmp_path / "absent"])


def test_each_run_is_asked_for_its_checkpoint_and_for_trust(copy_run, noisy_run, tmp_path):
    with pytest.raises(RunError, match=rf"^{noisy_run}: has no checkpoint yet"):
        Translator.load([copy_run, noisy_run], checkpoint="last")
    imports = tmp_path / "imports"
    shutil.copytree(noisy_run, imports)
    config = (imports / "config.yaml").read_text()
    (imports / "config.yaml").write_text(config.replace("score: additive", "score: mine:Score"))

    with pytest.raises(RunError, match=rf"^{imports}: model.attention.score imports mine:Score, w"):
        Translator.load([copy_run, imports])
