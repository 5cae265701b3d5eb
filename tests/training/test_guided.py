"""Guided alignment: its cost against a loop, and a model that looks where it is told to."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tiny import letters, tree, write_side_by_side

from nmt import configfile
from nmt.config import GuidedAlignmentConfig
from nmt.evaluation.alignment import GoldLinks, score_links
from nmt.inference.output import word_links
from nmt.inference.translator import Translator
from nmt.training.guided import alignment_cost, with_ends
from nmt.training.session import train


def looped(weights, links, kind):
    """The cost of Chen et al. (2016), one target piece after the other."""
    total = 0.0
    for row, piece in np.ndindex(*links.shape[:2]):
        number = links[row, piece].sum()
        for weight, linked in zip(weights[row, piece], links[row, piece], strict=True):
            if number and kind == "mse":
                total += 0.5 * (linked / number - weight) ** 2
            elif linked:
                total -= math.log(weight) / number
    return total


@pytest.mark.parametrize("kind", ["ce", "mse"])
def test_the_cost_is_that_of_a_loop_over_target_pieces(kind):
    rng = np.random.default_rng(0)
    weights = rng.dirichlet(np.ones(4), size=(3, 5))
    links = rng.random((3, 5, 4)) < 0.3
    assert not links.any(axis=-1).all()  # some pieces have none

    found = alignment_cost(
        jnp.asarray(weights, jnp.float32),
        jnp.asarray(links),
        config=GuidedAlignmentConfig(cost=kind, weight=0.25),
    )

    expected = 0.25 * looped(weights, links, kind)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_the_step_that_reads_a_piece_is_the_one_after_that_which_writes_it():
    rng = np.random.default_rng(0)
    weights = rng.dirichlet(np.ones(4), size=(3, 5))
    links = rng.random((3, 5, 4)) < 0.3
    links[:, -1] = False  # the end of sentence

    found = alignment_cost(
        jnp.asarray(weights, jnp.float32),
        jnp.asarray(links),
        config=GuidedAlignmentConfig(weight=0.25, step="shifted"),
    )

    expected = 0.25 * looped(weights[:, 1:], links[:, :-1], "ce")
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_pieces_without_links_of_an_aligned_pair_may_look_at_the_end_of_the_source():
    source_lengths, target_lengths = [4, 3, 2, 0], [3, 4, 2, 0]
    links = np.zeros((4, 4, 4), bool)
    links[0, 1, 2] = links[1, 0, [0, 1]] = True  # nobody has aligned the third pair

    found = with_ends(jnp.asarray(links), jnp.array(source_lengths), jnp.array(target_lengths))

    expected = links.copy()
    for row in (0, 1):
        for piece in range(target_lengths[row] - 1):
            if not links[row, piece].any():
                expected[row, piece, source_lengths[row] - 1] = True
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("kind", ["ce", "mse"])
def test_pieces_without_links_cost_nothing_and_teach_nothing(kind):
    weights = jnp.full((2, 3, 4), 0.25)

    value, gradient = jax.value_and_grad(alignment_cost)(
        weights, jnp.zeros((2, 3, 4), bool), config=GuidedAlignmentConfig(cost=kind)
    )

    assert value == 0
    assert not gradient.any()


def test_a_link_outside_a_window_or_the_support_of_a_sparsemax_leaves_the_gradient_finite():
    weights = jnp.array([[[1.0, 0.0]]])
    links = jnp.array([[[False, True]]])

    value, gradient = jax.value_and_grad(alignment_cost)(
        weights, links, config=GuidedAlignmentConfig()
    )

    assert jnp.isfinite(value)
    assert jnp.isfinite(gradient).all()


@pytest.mark.slow
@pytest.mark.parametrize(("step", "method"), [("predicted", "attention"), ("shifted", "shifted")])
def test_attention_learns_a_permutation_that_the_task_does_not_ask_for(tmp_path, step, method):
    """The text is copied, while the links say that it is reversed."""
    lines = letters(1060, longest=6, seed=1)
    gold = [[(n - 1 - i, i) for i in range(n)] for n in (len(line.split()) for line in lines)]
    for name, part in {"train": slice(1000), "val": slice(1000, None)}.items():
        write_side_by_side(tmp_path, name, lines[part], lines[part])
    written = [" ".join(f"{i}-{j}" for i, j in links) for links in gold[:1000]]
    (tmp_path / "train.align").write_text("\n".join(written) + "\n")
    config = tree(
        tmp_path / "run",
        tmp_path,
        sentences=64,
        vocabulary=21,
        sizes=(16, 16, 32),
        dropout=0.0,
        learning_rate=2e-2,
        guided_alignment={"weight": 1.0, "step": step},
        max_steps=160,
        validate_every=1000,
    )
    train_on = {"path": str(tmp_path / "train"), "alignments": str(tmp_path / "train.align")}
    config["data"]["train"] = train_on

    translator = Translator.load(train(configfile.validate(config)).path)

    aligned = translator.align(lines[1000:], lines[1000:], method=method)
    truth = [GoldLinks(sure=frozenset(links), possible=frozenset()) for links in gold[1000:]]
    assert score_links([word_links(each) for each in aligned], truth).aer < 0.05
