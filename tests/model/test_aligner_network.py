"""The network that aligns: its equations in loops, what a word must not see, and its symmetry."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from equations import affine, compiled, gru_states, randomised
from flax import nnx

from nmt.config import AlignerConfig
from nmt.model.aligner import CHUNK, AlignerNetwork

SIZES = 7, 9  # of the vocabularies
SOURCE, TARGET = np.array([[3, 4, 5, 6], [6, 2, 0, 0]]), np.array([[8, 3, 5], [7, 0, 0]])
LENGTHS = np.array([4, 2]), np.array([3, 1])
CONFIG = AlignerConfig(embedding_size=3, hidden_size=2, longest_jump=2, empty=0.3)


@pytest.fixture(autouse=True, scope="module")
def _float64():
    with jax.enable_x64(True):
        yield


def build(sizes=SIZES):
    return randomised(lambda: AlignerNetwork(CONFIG, *sizes, rngs=nnx.Rngs(0)))


@pytest.fixture(scope="module")
def built(_float64):
    return build()


def given(tokens, lengths):
    return jnp.asarray(tokens, jnp.int32), jnp.asarray(lengths, jnp.int32)


@compiled
def read(network, source, target):
    """The scores and the emissions of both directions, over whole vocabularies."""
    sources, targets = network.source(*source), network.target(*target)
    forward, backward = network.totals()
    return [
        (direction.scores(one, other), direction.emissions(one, other, totals))
        for direction, one, other, totals in (
            (network.forward, sources, targets, forward),
            (network.backward, targets, sources, backward),
        )
    ]


@compiled
def aligned(network, source, target):
    return network(source, target, network.totals())


@compiled
def sums_of(network, tokens, among):
    return network.totals(tokens, among=among)


def summed(network, tokens=None, among=None):
    """The totals of some tokens over others, of the source and the target each."""
    arrays = (
        given and tuple(jnp.asarray(each, jnp.int32) for each in given) for given in (tokens, among)
    )
    return sums_of(network, *arrays)


PAIR = given(SOURCE, LENGTHS[0]), given(TARGET, LENGTHS[1])


def states(reader, tokens):
    """Returns embeddings, and the states of each direction after each word of a sentence."""
    embedded = reader["embedding"]["embedding"][tokens]
    zeros = np.zeros(CONFIG.hidden_size)
    forward = gru_states(reader["layer"]["forward"], zeros, embedded)
    backward = gru_states(reader["layer"]["backward"], zeros, embedded[::-1])[::-1]
    return embedded, forward, backward


def log_softmax(logits):
    return logits - np.log(sum(np.exp(each) for each in logits))


def expected(direction, source, target, tokens):
    """The equations of `Direction` for one sentence, one word at a time."""
    embedded, *both = states(*source)
    _, before, behind = states(*target)
    nothing = np.zeros(CONFIG.hidden_size)
    scores, words, empty = [], [], []
    for t, token in enumerate(tokens):
        around = np.concatenate(
            [before[t - 1] if t else nothing, behind[t + 1] if t + 1 < len(tokens) else nothing]
        )
        query = affine(direction["query"], around)
        rows = [], []
        for x, forward, backward in zip(embedded, *both, strict=True):
            key = affine(direction["key"], np.concatenate([forward, backward, x]))
            rows[0].append(query @ key / np.sqrt(3))
            hidden = np.tanh(affine(direction["lexical"], x))
            logits = direction["output"]["embedding"] @ hidden + direction["output_bias"]
            rows[1].append(log_softmax(logits)[token])
        scores.append(rows[0])
        words.append(rows[1])
        empty.append(log_softmax(direction["empty_bias"])[token])
    return np.array(scores), np.array(words), np.array(empty)


@pytest.mark.parametrize("row", [0, 1])
def test_scores_and_emissions_are_those_of_the_equations(built, row):
    network, parameters = built
    source, target = SOURCE[row, : LENGTHS[0][row]], TARGET[row, : LENGTHS[1][row]]
    sides = (parameters["source"], source), (parameters["target"], target)

    found = read(network, *PAIR)

    for name, (scores, emissions), (one, other) in zip(
        ("forward", "backward"), found, (sides, sides[::-1]), strict=True
    ):
        parts = expected(parameters[name], one, other, other[1])
        area = np.s_[row, : len(other[1]), : len(one[1])]
        for each, values in zip((scores, emissions.words, emissions.empty), parts, strict=True):
            np.testing.assert_allclose(each[area[: each.ndim]], values, rtol=1e-6)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_word_is_not_seen_by_what_says_where_it_comes_from(built, place):
    network, _ = built
    changed = TARGET.copy()
    changed[0, place] = 1

    (before, _), (keyed, _) = read(network, *PAIR)
    (after, _), (also, _) = read(network, PAIR[0], given(changed, LENGTHS[1]))

    np.testing.assert_array_equal(after[0, place], before[0, place])
    for other in {0, 1, 2} - {place}:
        assert not np.isclose(after[0, other], before[0, other]).any()
    np.testing.assert_array_equal(after[1], before[1])
    assert not np.isclose(also[0], keyed[0]).any()  # of the keys, all words are


@pytest.mark.parametrize("place", [0, 1, 2, 3])
def test_a_source_word_is_not_seen_where_it_is_explained(built, place):
    network, _ = built
    changed = SOURCE.copy()
    changed[0, place] = 1

    _, (before, _) = read(network, *PAIR)
    _, (after, _) = read(network, given(changed, LENGTHS[0]), PAIR[1])

    np.testing.assert_array_equal(after[0, place], before[0, place])
    for other in {0, 1, 2, 3} - {place}:
        assert not np.isclose(after[0, other], before[0, other]).any()


def test_batch_mates_and_padding_change_no_links(built):
    network, _ = built
    both = aligned(network, *PAIR)
    longer = [np.pad(each, ((0, 2), (0, 2)), constant_values=5) for each in (SOURCE, TARGET)]
    longer = [each[::-1] for each in longer]  # two rows of padding first
    lengths = [np.array([0, 0, *each[::-1]]) for each in LENGTHS]
    padded = aligned(network, *map(given, longer, lengths))

    for row in (0, 1):
        source, target = (int(each[row]) for each in LENGTHS)
        alone = aligned(
            network,
            given(SOURCE[row : row + 1], [source]),
            given(TARGET[row : row + 1], [target]),
        )
        for name, area in {
            "forward": np.s_[:target, :source],
            "backward": np.s_[:source, :target],
        }.items():
            (one,), (likelihood,) = getattr(alone, name)[::-1]
            for other, place in ((both, row), (padded, 3 - row)):
                found = getattr(other, name)
                np.testing.assert_allclose(found.links[place][area], one[area], rtol=1e-6)
                np.testing.assert_allclose(found.links[place].sum(), one[area].sum(), rtol=1e-6)
                np.testing.assert_allclose(found.log_likelihood[place], likelihood, rtol=1e-6)


def test_exchanged_parts_exchange_the_directions(built):
    network, _ = built
    turned = nnx.clone(network)
    turned.source, turned.target = turned.target, turned.source
    turned.forward, turned.backward = turned.backward, turned.forward

    found, expected = aligned(turned, *PAIR[::-1]), aligned(network, *PAIR)

    for one, other in zip(found, expected[::-1], strict=True):
        np.testing.assert_allclose(one.links, other.links, rtol=1e-6)
        np.testing.assert_allclose(one.log_likelihood, other.log_likelihood, rtol=1e-6)
    assert not np.isclose(expected.forward.links[0], expected.backward.links[0].T).any()


def sums(parameters, names, explaining, explained):
    """The logarithms of the sums of a direction in loops: by token, and of the empty word."""
    reader, direction = (parameters[name] for name in names)
    embedding, output = reader["embedding"]["embedding"], direction["output"]["embedding"]
    words = {}
    for token in explaining:
        hidden = np.tanh(affine(direction["lexical"], embedding[token]))
        logits = [output[y] @ hidden + direction["output_bias"][y] for y in explained]
        words[token] = np.log(np.sum(np.exp(logits)))
    return words, np.log(np.sum(np.exp([direction["empty_bias"][y] for y in explained])))


NAMES = ("source", "forward"), ("target", "backward")


def assert_sums(found, parameters, sizes, tokens, among):
    """Holds the totals of both directions to loops over distinct tokens; others have none."""
    for side, totals in enumerate(found):
        words, empty = sums(parameters, NAMES[side], tokens[side], set(among[1 - side]))
        expected = np.zeros(sizes[side])
        expected[list(words)] = list(words.values())
        np.testing.assert_allclose(totals.empty, empty, rtol=1e-6)
        np.testing.assert_allclose(totals.words, expected, rtol=1e-6)


def test_all_words_that_may_be_explained_have_the_probability_one(built):
    network, parameters = built

    every = [range(size) for size in SIZES]

    assert_sums(summed(network), parameters, SIZES, every, every)

    for size, explained, place in ((SIZES[0], SIZES[1], 0), (SIZES[1], SIZES[0], 1)):
        explaining = given([np.arange(size)], [size])
        words = given([np.arange(explained)], [explained])
        sides = (explaining, words) if place == 0 else (words, explaining)
        _, emissions = read(network, *sides)[place]
        np.testing.assert_allclose(np.exp(emissions.words[0]).sum(axis=0), np.ones(size))
        np.testing.assert_allclose(np.exp(emissions.empty[0]).sum(), 1)


@pytest.mark.parametrize(
    "tokens",
    [([3, 3, 6, 0, 3], [8, 1, 8]), ([2], [0] * 20), ([*range(7), *range(7)], list(range(9)))],
    ids=["repeated", "one", "all"],
)
@pytest.mark.parametrize("among", [([5, 1, 5], [0, 0, 0, 8]), None], ids=["some", "every"])
def test_the_sums_of_some_tokens_are_over_each_of_them_once(built, tokens, among):
    network, parameters = built

    found = summed(network, tokens, among)

    assert_sums(found, parameters, SIZES, tokens, among or [range(size) for size in SIZES])


@pytest.mark.parametrize("number", [5, CHUNK, CHUNK + 1, 2 * CHUNK + 40])
def test_any_number_of_distinct_tokens_is_summed(number):
    sizes = 2 * CHUNK + 40, 8
    network, parameters = build(sizes)
    drawn = np.random.default_rng(number).permutation(sizes[0])[:number].tolist()
    tokens = [*drawn, *drawn[:3]], [7, 0, 7]

    assert_sums(summed(network, tokens, tokens), parameters, sizes, tokens, tokens)


def test_the_sums_of_a_whole_vocabulary_are_those_of_all_its_tokens():
    sizes = CHUNK + 3, 2 * CHUNK
    network, parameters = build(sizes)
    random = np.random.default_rng(0)
    shuffled = [random.permutation(size) for size in sizes]

    whole = summed(network)

    assert_sums(whole, parameters, sizes, *[[range(size) for size in sizes]] * 2)
    for one, other in zip(summed(network, shuffled, shuffled), whole, strict=True):
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6), one, other)
