"""The guided head in a search: its matrix is that of forced decoding of what was written."""

import dataclasses
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from tiers import slow_where

from nmt.config import DecodingConfig, ModelConfig
from nmt.data.constraints import Constraints
from nmt.errors import DataError
from nmt.evaluation.words import END
from nmt.inference.ensemble import LoadedEnsemble
from nmt.inference.predictor import LoadedModel
from nmt.inference.translator import Translator
from nmt.model.seq2seq import build

LINES = ["Der Hund schläft im Garten.", "Nein.", "", "Die alte Frau liest nicht.", "Der Hund"]
SEARCHES = {
    "greedy": ({"strategy": "greedy"}, 1),
    "beam": ({"beam": 3}, 3),
    "beam that counts coverage": ({"beam": 3, "coverage_penalty": 0.3}, 2),
    "sample": ({"strategy": {"kind": "sample", "seed": 1}}, 1),
}


def loaded(tokenizers, *, seed, head=True, decoder="conditional"):
    """A model with random parameters, which ends some sentences, while others are cut."""
    config = ModelConfig(
        embedding_size=4,
        encoder={"hidden_size": 3},
        decoder={"kind": decoder, "hidden_size": 5},
        guided_head={"size": 6} if head else None,
    )
    sizes = {"source": tokenizers.source.size, "target_size": tokenizers.target.size}
    graph, params = nnx.split(nnx.eval_shape(partial(build, config, **sizes, seed=0)))
    rng = np.random.default_rng(seed)
    params = jax.tree.map(lambda leaf: jnp.array(rng.normal(0, 1, leaf.shape), jnp.float32), params)
    params["output_bias"][...] = params["output_bias"][...].at[tokenizers.target.eos].add(3.0)
    return LoadedModel(params, graph)


def translator(model, tokenizers, **decoding):
    settings = {"batch": 2, "max_output_ratio": 0.5, "max_extra": 3, **decoding}
    return Translator(model, tokenizers=tokenizers, config=DecodingConfig(**settings))


def assert_forced(model, found):
    """Each matrix of a search is that of its translation by forced decoding."""
    by_attention = model.explain(found, method="attention")
    for one, other, plain in zip(
        found, model.explain(by_attention, method="guided"), by_attention, strict=True
    ):
        assert (one.method, other.method, plain.method) == ("guided", "guided", "attention")
        np.testing.assert_allclose(one.attention, other.attention, atol=1e-5)
        assert abs(one.attention - plain.attention).max() > 0.01
        first = model.tokenizers.reverse_target and one.is_cut  # the piece that was written last
        unread = np.arange(len(one.attention)) == (0 if first else len(one.attention) - 1)
        np.testing.assert_allclose(one.attention.sum(axis=1), ~unread, atol=1e-5)


@pytest.mark.filterwarnings("ignore:.*cut:UserWarning")
@pytest.mark.parametrize("case", slow_where(SEARCHES, lambda each: each == "sample"))
def test_a_search_finds_the_matrix_of_forced_decoding(embedded_tokenizers, case):
    settings, n_best = SEARCHES[case]
    tokenizers = embedded_tokenizers
    if case == "beam":  # from right to left, too
        tokenizers = dataclasses.replace(tokenizers, reverse_target=True)
    model = translator(loaded(tokenizers, seed=2), tokenizers, **settings)

    found = [each for ranked in model.stream(LINES, n_best=n_best) for each in ranked]

    real = [each for each in found if each.source]
    assert {END in each.target_pieces for each in real} == {True, False}  # ended ones, and cut ones
    assert_forced(model, real)


@pytest.mark.filterwarnings("ignore:.*cut:UserWarning")
def test_behind_a_prefix_the_matrix_is_that_of_forced_decoding(embedded_tokenizers):
    model = translator(loaded(embedded_tokenizers, seed=2), embedded_tokenizers, beam=2)

    found = model.translate(LINES[:2], constraints=Constraints(prefix="The dog "))

    assert [each.text.startswith("The dog") for each in found] == [True, True]
    assert_forced(model, found)


@pytest.mark.filterwarnings("ignore:.*cut:UserWarning")
def test_an_ensemble_has_the_mean_of_the_heads_that_it_has(embedded_tokenizers):
    one, other = (loaded(embedded_tokenizers, seed=seed) for seed in (2, 3))
    plain = loaded(embedded_tokenizers, seed=4, head=False, decoder="bahdanau")
    pair = ["Der Hund schläft."], ["The dog sleeps."]
    alone = [translator(each, embedded_tokenizers).align(*pair)[0] for each in (one, other)]

    model = translator(LoadedEnsemble((one, plain, other)), embedded_tokenizers, beam=2)

    mean = (alone[0].attention + alone[1].attention) / 2
    np.testing.assert_allclose(model.align(*pair)[0].attention, mean, atol=1e-6)
    assert_forced(model, model.translate(LINES[:2]))


def test_a_row_is_that_of_the_step_which_has_read_the_piece(embedded_tokenizers):
    """From right to left, the step that has read the first piece is the last but one."""
    tokenizers = dataclasses.replace(embedded_tokenizers, reverse_target=True)
    model = loaded(tokenizers, seed=2, decoder="luong")
    source, target = "Der Hund schläft.", "The dog sleeps."

    found = translator(model, tokenizers).align(source, target)

    network = nnx.merge(model.graph, model.params)
    ids = tokenizers.source.ids(found.source_pieces)
    encoded = network.encode(jnp.array([ids]), jnp.array([len(ids)]))
    state, rows = network.initial_state(encoded), []
    *written, end = tokenizers.target.ids(found.target_pieces)
    assert end == tokenizers.target.eos
    step = jax.jit(lambda state, token: network.decode_step(state, token, encoded))
    for token in [tokenizers.target.bos, *reversed(written)]:
        state, _, told = step(state, jnp.array([token]))
        rows.append(told.guided[0])
    np.testing.assert_allclose(found.attention[:-1], rows[:0:-1], atol=1e-5)
    np.testing.assert_array_equal(found.attention[-1], 0)


def test_a_model_without_a_head_has_no_such_method(embedded_tokenizers):
    model = translator(loaded(embedded_tokenizers, seed=4, head=False), embedded_tokenizers)

    assert model.method == "attention"
    with pytest.raises(
        DataError,
        match=r"^the method guided reads the weights of a guided head, and this model has none: "
        r"choose another method, or train a model with `model\.guided_head`$",
    ):
        model.align("Nein.", "No.", method="guided")
