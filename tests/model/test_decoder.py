"""Decoders are held against their papers' equations, and their two drivers to each other."""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from equations import additive, bahdanau, compiled, conditional, general, luong, randomised, xu
from flax import nnx

from nmt.attention.interface import EncodedSource
from nmt.config import DropoutConfig, ModelConfig
from nmt.model.decoder import dropout_masks

BATCH, SRC, TGT, EMBED, ANNOTATION, HIDDEN, READOUT = 2, 4, 3, 5, 4, 3, 2
LENGTHS = [4, 2]
NONE = DropoutConfig(rate=0.0)
RATES = DropoutConfig(rate=0.5, recurrent=0.4)

DEEP = {"layers": 2, "residual": True}
DECODERS = {
    "bahdanau": {"kind": "bahdanau"},
    "bahdanau of two layers": {"kind": "bahdanau", "layers": 2},
    "luong": {"kind": "luong"},
    "luong of two layers": {"kind": "luong", "layers": 2},
    "luong without input feeding": {"kind": "luong", "input_feeding": False},
    "luong, learned first state": {"kind": "luong", "initial_state": "learned"},
    "luong of two layers without input feeding": {
        "kind": "luong",
        "layers": 2,
        "input_feeding": False,
    },
    "conditional": {"kind": "conditional"},
    "conditional of four cells": {"kind": "conditional", "transitions": 4},
    "conditional of three layers": {"kind": "conditional", "layers": 3},
    "bahdanau, bideep": {"kind": "bahdanau", **DEEP, "transitions": 3},
    "luong, bideep": {"kind": "luong", **DEEP, "transitions": 2},
    "conditional, bideep": {"kind": "conditional", **DEEP, "upper_transitions": 2},
    "xu": {"kind": "xu", "readout_size": EMBED},
    "xu without a gate": {"kind": "xu", "readout_size": EMBED, "gate": False},
    "xu, bideep": {"kind": "xu", "readout_size": EMBED, **DEEP, "transitions": 2},
}
EQUATIONS = {
    "bahdanau": (bahdanau, "additive", additive),
    "luong": (luong, "general", general),
    "conditional": (conditional, "additive", additive),
    "xu": (xu, "additive", additive),
}


@pytest.fixture(autouse=True, scope="module")
def _float64():
    with jax.enable_x64(True):
        yield


def _built(mechanism, decoder):
    _, score, _ = EQUATIONS[decoder["kind"]]
    config = ModelConfig(
        embedding_size=EMBED,
        cell={"kind": "gru", "layer_norm": decoder.get("residual", False)},
        encoder={"hidden_size": ANNOTATION // 2},
        decoder={"hidden_size": HIDDEN, "readout_size": READOUT, **decoder},
        attention={"mechanism": mechanism} | ({} if mechanism == "none" else {"score": score}),
    )
    return randomised(lambda: config.decoder.build(config, rngs=nnx.Rngs(params=0)))


def _memory(decoder):
    """Random annotations, on padding too."""
    rng = np.random.default_rng(8)
    annotations = jnp.array(rng.normal(size=(BATCH, SRC, ANNOTATION)))
    return EncodedSource(
        annotations=annotations,
        keys=decoder.attention.keys(annotations),
        mask=jnp.array(np.arange(SRC) < np.array(LENGTHS)[:, None]),
        summary=jnp.array(rng.normal(size=(BATCH, ANNOTATION))),
    )


@pytest.fixture(
    scope="module",
    params=[("global", name) for name in DECODERS] + [("none", kind) for kind in EQUATIONS],
    ids=lambda param: f"{param[1]}, {param[0]} attention",
)
def run(request):
    """A decoder with dropout, and what `teacher_forced` makes of random previous tokens."""
    mechanism, name = request.param
    decoder, parameters = _built(mechanism, DECODERS[name])
    encoded = _memory(decoder)
    keys = jax.random.split(jax.random.key(2), BATCH)
    masks = dropout_masks(decoder, RATES, jnp.dtype("float64"), keys=keys)
    embedded = jnp.array(np.random.default_rng(9).normal(size=(BATCH, TGT, EMBED)))
    readouts, attended = compiled(type(decoder).teacher_forced)(decoder, embedded, encoded, masks)
    follow, _, score = EQUATIONS[DECODERS[name]["kind"]]
    return SimpleNamespace(
        decoder=decoder,
        parameters=parameters,
        encoded=encoded,
        masks=masks,
        embedded=embedded,
        readouts=np.asarray(readouts),
        weights=np.asarray(attended.weights),
        equations=follow,
        score=score if mechanism == "global" else None,
    )


def test_teacher_forcing_follows_the_equations(run):
    for row, length in enumerate(LENGTHS):
        readouts, weights = run.equations(
            run.parameters,
            np.asarray(run.embedded[row]),
            np.asarray(run.encoded.annotations[row, :length]),
            np.asarray(run.encoded.summary[row]),
            score=run.score,
            between=[np.asarray(mask[row]) for mask in run.masks.stack.below],
            recurrent=[np.asarray(mask[row]) for mask in run.masks.stack.recurrent],
            dropped=np.asarray(run.masks.readout[row]),
            residual=run.decoder.stack.residual,
        )

        # The weights are float32, and all that follows inherits their rounding.
        np.testing.assert_allclose(run.weights[row, :, :length], weights, rtol=1e-5)
        np.testing.assert_array_equal(run.weights[row, :, length:], 0)
        np.testing.assert_allclose(run.readouts[row], readouts, atol=1e-6)


@compiled
def _step_by_step(decoder, embedded, encoded, masks):
    """Returns readouts and weights of one step after the other."""
    state, found = decoder.initial_state(encoded), []
    projected = decoder.project(embedded)
    for position in range(TGT):
        state, features, attended = decoder.step(state, projected[:, position], encoded, masks)
        features = jax.tree.map(lambda feature: feature[:, None], features)
        now = embedded[:, position : position + 1]
        found.append((decoder.readout(features, now, masks)[:, 0], attended.weights))
    return jax.tree.map(lambda *steps: jnp.stack(steps, axis=1), *found)


def test_teacher_forcing_is_the_repeated_step(run):
    readouts, weights = _step_by_step(run.decoder, run.embedded, run.encoded, run.masks)

    np.testing.assert_allclose(run.weights, weights, rtol=1e-5)
    np.testing.assert_allclose(run.readouts, readouts, atol=1e-6)


@pytest.mark.parametrize(
    ("mechanism", "training"),
    [
        ("local_m", False),
        ("hard", True),
        pytest.param("local_m", True, marks=pytest.mark.slow),
        pytest.param("hard", False, marks=pytest.mark.slow),
    ],
    ids=lambda value: {False: "translating", True: "training"}.get(value, value),
)
@pytest.mark.parametrize(
    "name", ["bahdanau", "luong", "luong without input feeding", "conditional", "xu"]
)
def test_what_a_mechanism_carries_goes_from_step_to_step(name, mechanism, training):
    decoder, _ = _built(mechanism, DECODERS[name])
    encoded = _memory(decoder).replace(
        sample_keys=jax.random.split(jax.random.key(3), BATCH), training=training
    )
    masks = dropout_masks(decoder, NONE, jnp.dtype("float64"))
    embedded = jnp.array(np.random.default_rng(9).normal(size=(BATCH, TGT, EMBED)))

    forced = compiled(type(decoder).teacher_forced)(decoder, embedded, encoded, masks)

    readouts, weights = _step_by_step(decoder, embedded, encoded, masks)
    np.testing.assert_allclose(forced[1].weights, weights, rtol=1e-5)
    np.testing.assert_allclose(forced[0], readouts, atol=1e-6)


def test_a_sentence_without_source_keeps_every_gradient_finite():
    decoder, _ = _built("global", DECODERS["luong"])
    graph, state = nnx.split(decoder)
    encoded = _memory(decoder).replace(mask=jnp.zeros((BATCH, SRC), bool))
    masks = dropout_masks(decoder, NONE, jnp.dtype("float64"))

    @jax.jit
    @jax.grad
    def gradient(inputs):
        state, embedded = inputs
        readouts, attended = nnx.merge(graph, state).teacher_forced(embedded, encoded, masks)
        return (readouts**2).sum() + (attended.weights**2).sum()

    gradients = gradient((state, jnp.ones((BATCH, TGT, EMBED))))

    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradients))


def test_dropout_masks_are_sampled_for_the_readout_each_state_and_under_each_upper_layer():
    decoder, _ = _built("global", {"kind": "luong", "layers": 3})
    keys = jax.random.split(jax.random.key(0), 50)

    masks = dropout_masks(decoder, RATES, jnp.dtype("float64"), keys=keys)

    states = [*masks.stack.below, *masks.stack.recurrent]
    assert [mask.shape for mask in states] == [(50, HIDDEN)] * (2 + 3)
    assert masks.readout.shape == (50, READOUT)
    different = np.stack([masks.readout != 0, *(mask[:, :READOUT] != 0 for mask in states)])
    assert len(np.unique(different, axis=0)) == 1 + 2 + 3


@pytest.mark.parametrize(
    ("given", "readout", "below", "recurrent"),
    [
        ({}, 0.3, 0.3, None),
        ({"rate": 0.5}, 0.5, 0.5, None),
        ({"rate": 0.5, "readout": 0.2}, 0.2, 0.5, None),
        ({"rate": 0.5, "layers": 0.2}, 0.5, 0.2, None),
        ({"rate": 0.0, "recurrent": 0.2}, 0.0, 0.0, 0.2),
        ({"rate": 0.5, "embeddings": 0.1, "annotations": 0.1, "source_words": 0.1}, 0.5, 0.5, None),
    ],
)
def test_a_place_of_the_decoder_has_its_own_rate_or_that_of_all(given, readout, below, recurrent):
    decoder, _ = _built("global", {"kind": "luong", "layers": 2})
    keys = jax.random.split(jax.random.key(0), 2)

    masks = dropout_masks(decoder, DropoutConfig(**given), jnp.dtype("float64"), keys=keys)

    assert masks.readout.max() == 1 / (1 - readout)
    assert masks.stack.below[0].max() == 1 / (1 - below)
    for mask in masks.stack.recurrent:
        assert mask is None if recurrent is None else mask.max() == 1 / (1 - recurrent)


def test_attending_afterwards_never_stores_the_energies_of_all_positions():
    batch, length, key = 4, 64, 64
    config = ModelConfig(
        embedding_size=EMBED,
        encoder={"hidden_size": ANNOTATION // 2},
        decoder={"kind": "luong", "hidden_size": HIDDEN, "input_feeding": False},
        attention={"score": "additive", "score_options": {"hidden_size": key}},
    )
    graph, parameters = nnx.split(config.decoder.build(config, rngs=nnx.Rngs(params=0)))

    def total(parameters, embedded, annotations):
        decoder = nnx.merge(graph, parameters)
        mask, summary = jnp.ones((batch, length), bool), annotations.mean(axis=1)
        keys = decoder.attention.keys(annotations)
        encoded = EncodedSource(annotations=annotations, keys=keys, mask=mask, summary=summary)
        masks = dropout_masks(decoder, NONE, embedded.dtype, keys=None)
        return decoder.teacher_forced(embedded, encoded, masks)[0].sum()

    given = (jnp.zeros((batch, length, size)) for size in (EMBED, ANNOTATION))
    program = jax.jit(jax.grad(total)).lower(parameters, *given).compile()

    energies = batch * length * length * key * 8  # bytes, in float64
    assert program.memory_analysis().temp_size_in_bytes < energies / 2
