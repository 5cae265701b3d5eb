"""Pairs of lines to links by a network that only aligns, and what cannot be loaded as one."""

import re
import warnings

import aligning_runs
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from nmt import configfile
from nmt.config import AlignerConfig, DecodingConfig
from nmt.errors import ConfigError, DataError
from nmt.evaluation.alignment import GoldLinks, score_links
from nmt.inference.aligner import Aligner
from nmt.inference.captioner import Captioner
from nmt.inference.output import stream_both, symmetrized_links, word_links
from nmt.inference.predictor import LoadedModel
from nmt.inference.translator import Translator
from nmt.model.aligner import AlignerNetwork
from nmt.training.session import train

LINES = aligning_runs.pairs(60, seed=5, least=1)
SOURCES, TARGETS, LINKS = map(list, zip(*LINES, strict=True))


@pytest.fixture(scope="module")
def aligner(aligning_run):
    return Aligner.load(aligning_run, batch=8)


@pytest.fixture(scope="module")
def aligned(aligner):
    return aligner.align(SOURCES, TARGETS)


METHODS = ["soft-intersection", "soft-union", "intersection", "union", "grow-diag-final-and"]


@pytest.mark.parametrize("method", METHODS)
def test_words_it_has_learnt_are_aligned_without_an_error_in_any_order(aligner, method):
    pairs = zip(SOURCES, TARGETS, strict=True)

    found = list(stream_both(aligner, pairs, symmetrization=method))

    truth = [GoldLinks(sure=links, possible=frozenset()) for links in LINKS]
    assert score_links(found, truth).aer == 0
    assert found == LINKS


def test_each_direction_is_right_by_itself_and_knows_how_sure_it_is(aligned):
    for both, links in zip(aligned, LINKS, strict=True):
        assert word_links(both.forward, threshold=0.5) == links
        assert word_links(both.backward, threshold=0.5) == {(t, s) for s, t in links}


def test_matrices_have_a_row_for_each_piece_and_none_for_ends(aligned):
    for both, source, target in zip(aligned, SOURCES, TARGETS, strict=True):
        for found, (one, other) in zip(both, ((source, target), (target, source)), strict=True):
            assert (found.source, found.text, found.method) == (one, other, "posterior")
            pieces = tuple(f"▁{word}" for word in one.split())
            assert found.source_pieces == (*pieces, "</s>")
            assert found.attention.shape == (len(other.split()) + 1, len(pieces) + 1)
            assert found.attention.dtype == np.float32
            assert not found.attention[-1].any()
            assert not found.attention[:, -1].any()
            assert (found.attention >= 0).all()
            assert (found.attention.sum(axis=1) <= 1 + 1e-5).all()


def test_a_word_without_a_counterpart_comes_from_no_word(aligner):
    both = aligner.align("a b c", f"{aligning_runs.RENAMED['b']} {aligning_runs.RENAMED['h']}")

    assert symmetrized_links(*both) == {(1, 0)}
    assert both.forward.attention[1].max() < 0.5  # h
    assert both.backward.attention[0].max() < 0.5  # a


def test_links_do_not_depend_on_the_batch(aligner, aligned):
    backwards = aligner.align(SOURCES[::-1], TARGETS[::-1])[::-1]
    alone = [aligner.align(*pair) for pair in zip(SOURCES[:4], TARGETS[:4], strict=True)]
    stream = list(aligner.align_stream(iter(zip(SOURCES, TARGETS, strict=True))))

    for others in (backwards, alone, stream):
        for one, other in zip(aligned, others, strict=len(others) == len(aligned)):
            assert one.forward.source == other.forward.source
            for side, also in zip(one, other, strict=True):
                np.testing.assert_allclose(side.attention, also.attention, atol=1e-5)


def test_pairs_are_read_a_window_at_a_time_and_come_back_in_order(aligning_run):
    aligner = Aligner.load(aligning_run, batch=2)
    read, times = [], 4

    def pairs():
        for source, target, _ in LINES * times:
            read.append(source)
            yield source, target

    found = aligner.align_stream(pairs())
    first = next(found)

    assert len(read) == aligner.window < times * len(LINES)
    assert [each.forward.source for each in (first, *found)] == SOURCES * times


@pytest.mark.parametrize("pair", [("", "s t"), ("a b", ""), ("", ""), (" ", "s")])
def test_a_line_without_words_has_no_links(aligner, pair):
    (before, both, after) = aligner.align(["a", pair[0], "b"], ["s", pair[1], "t"])

    assert (both.forward.source, both.forward.text) == pair
    assert (both.backward.source, both.backward.text) == pair[::-1]
    assert symmetrized_links(*both) == symmetrized_links(*both, threshold=0) == frozenset()
    assert symmetrized_links(*both, symmetrization="union") == frozenset()
    assert symmetrized_links(*before) == symmetrized_links(*after) == {(0, 0)}


def test_no_pairs_are_no_alignments(aligner):
    assert aligner.align([], []) == []
    assert list(aligner.align_stream([])) == []


def test_lines_are_cut_with_a_warning_that_has_their_numbers(aligning_run):
    short = Aligner.load(aligning_run, max_pieces=3)

    with pytest.warns() as told:
        found = short.align(["a b", "a b c", "d"], ["s t", "s t", "v s t u"])

    cut = "has more than 2 pieces, and is cut; decoding.max_pieces sets the limit"
    assert sorted(str(each.message) for each in told) == [
        f"line 2: the source {cut}",
        f"line 3: the target {cut}",
    ]
    assert symmetrized_links(*found[1]) == {(0, 0), (1, 1)}
    assert symmetrized_links(*found[2]) == {(0, 0)}
    assert found[1].forward.source == "a b c"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        short.align("a b", "s t")


@pytest.fixture(scope="module")
def untrained(embedded_tokenizers):
    """An aligner with a vocabulary whose pieces do not always spell the words."""
    size = embedded_tokenizers.target.size
    settings = AlignerConfig(embedding_size=4, hidden_size=3)
    graph, params = nnx.split(AlignerNetwork(settings, size, size, rngs=nnx.Rngs(0)), nnx.Param)
    rng = np.random.default_rng(0)
    params = jax.tree.map(
        lambda leaf: jnp.asarray(rng.normal(0, 0.5, leaf.shape).astype(np.float32)), params
    )
    loaded = LoadedModel(params, graph)
    return Aligner(loaded, tokenizers=embedded_tokenizers, config=DecodingConfig(batch=4))


# A ligature is two letters, an accent that stands alone has a space, and a control sign is none.
SPELLED = "\ufb01ne dog\u00b4 a", "ein\u0001 Hund"


def test_pieces_that_do_not_spell_the_words_are_at_their_places(untrained):
    source, target = SPELLED
    sides = untrained.tokenizers

    forward, backward = untrained.align(source, target)

    assert forward.source_offsets == backward.target_offsets == sides.source.offsets(source)
    assert forward.target_offsets == backward.source_offsets == sides.target.offsets(target)
    assert backward.words.weights.shape == forward.words.weights.T.shape == (3, 2)
    assert forward.source_words.labels == backward.target_words.labels == tuple(source.split(" "))
    assert forward.target_words.labels == backward.source_words.labels == tuple(target.split(" "))
    plain = untrained.align("a dog", "ein Hund").forward
    assert (plain.source_offsets, plain.target_offsets) == (None, None)


def test_links_are_those_of_the_network_without_any_padding(untrained):
    source, target = SPELLED
    shared = untrained.shared
    network = nnx.merge(shared.loaded.graph, shared.loaded.params)
    ids = [
        jnp.asarray([side.encode(line)], jnp.int32)
        for side, line in zip(
            (untrained.tokenizers.source, untrained.tokenizers.target), SPELLED, strict=True
        )
    ]
    sides = [(each, jnp.array([each.shape[1]])) for each in ids]
    expected = jax.jit(lambda *sides: network(*sides, network.totals()))(*sides)

    forward, backward = untrained.align(source, target)

    for found, one in ((forward, expected.forward), (backward, expected.backward)):
        assert len({round(value, 5) for value in one.links.ravel().tolist()}) > 10
        np.testing.assert_allclose(found.attention[:-1, :-1], one.links[0], atol=1e-5)


RULE = "align takes two strings, or an iterable of strings on both sides, "


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("a", ["s"]), f"{RULE}not str"),
        ((["a"], "s"), f"{RULE}not str"),
        ((b"a", b"s"), f"{RULE}not bytes"),
        ((None, ["s"]), f"{RULE}not NoneType"),
        ((["a", 1], ["s", "t"]), f"{RULE}and one is int"),
        ((["a"], [None]), f"{RULE}and one is NoneType"),
    ],
    ids=["a string first", "a string second", "bytes", "nothing", "a number", "nothing in one"],
)
def test_what_is_no_text_is_refused(aligner, arguments, message):
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        aligner.align(*arguments)


def test_sides_that_differ_in_length_are_refused(aligner):
    with pytest.raises(DataError, match=r"^1 source line but 2 target lines$"):
        aligner.align(["a"], ["s", "t"])


def test_an_unknown_symmetrization_is_named_before_anything_is_aligned(aligner):
    with pytest.raises(
        ConfigError, match=r"'grow'; choose one of soft-intersection, soft-union, inter"
    ):
        stream_both(aligner, [], symmetrization="grow")


@pytest.mark.parametrize("kind", [Translator, Captioner], ids=["translator", "captioner"])
def test_an_aligner_does_not_translate(aligning_run, copy_run, kind):
    message = (
        f"{aligning_run} is a network that aligns, which `nmt align` and `nmt plot --target` use, "
        "and nmt.Aligner in Python, and nothing else does"
    )
    for runs in (aligning_run, [copy_run, aligning_run]):
        with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
            kind.load(runs)


def test_a_translator_is_no_aligner_and_several_are_none(aligning_run, copy_run):
    message = f"{copy_run} is a network that translates; use nmt.Translator"
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        Aligner.load(copy_run)
    message = "an aligner is one network, and no ensemble: give one run"
    for runs in ([], [aligning_run, aligning_run], [aligning_run, copy_run]):
        with pytest.raises(DataError, match=f"^{message}$"):
            Aligner.load(runs)
    with pytest.raises(ConfigError, match="beams"):
        Aligner.load(aligning_run, beams=4)


def test_a_checkpoint_can_be_chosen(aligning_run, aligned):
    last, earlier = (Aligner.load(aligning_run, checkpoint=which) for which in ("last", 40))

    pair = SOURCES[0], TARGETS[0]
    np.testing.assert_allclose(  # the last one is the best
        last.align(*pair).forward.attention, aligned[0].forward.attention, atol=1e-6
    )
    other = earlier.align(*pair).forward.attention
    assert not np.allclose(other, aligned[0].forward.attention, atol=1e-4)


@pytest.mark.slow
def test_a_language_is_aligned_with_itself_without_an_error(tmp_path):
    def same(count, seed):
        return [(source, source) for source, *_ in aligning_runs.pairs(count, seed=seed)]

    aligning_runs.write(tmp_path, "train", same(400, seed=1))
    aligning_runs.write(tmp_path, "val", same(20, seed=2))
    given = {"learning_rate": 2e-2, "max_steps": 60, "max_epochs": None, "validate_every": 60}
    settings = aligning_runs.settings(tmp_path / "run", tmp_path, vocabulary=21, **given)
    found = Aligner.load(train(configfile.validate(settings)).path)

    lines = same(60, seed=5)

    links = list(stream_both(found, lines))
    truth = [frozenset((n, n) for n in range(len(line.split()))) for line, _ in lines]
    assert links == truth
