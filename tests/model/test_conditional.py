"""The conditional decoder with every cell and mechanism, from its own parts one after the other."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from equations import randomised
from flax import nnx
from tiers import slow_where

from nmt import configfile
from nmt.attention.interface import EncodedSource
from nmt.config import DropoutConfig, ModelConfig
from nmt.config.place import Place
from nmt.errors import ConfigError
from nmt.model.decoder import dropout_masks

BATCH, SRC, TGT, EMBED, HIDDEN, READOUT = 2, 4, 3, 5, 4, 2
CELLS = Place.of(ModelConfig.model_fields["cell"]).names
MECHANISMS = Place.of(ModelConfig.model_fields["attention"]).names
COVERAGES = [{"mechanism": "global", "coverage": name} for name in ("linguistic", "neural")]
# With what goes from step to step and what does not; the others reach a decoder the same way.
QUICK = ["none", "global", "local_p", "monotonic", COVERAGES[1]]


@pytest.fixture(autouse=True, scope="module")
def _float64():
    with jax.enable_x64(True):
        yield


def _built(*, cell="gru", attention="global", **decoder):
    """A decoder with random parameters, what it attends to, and previous tokens."""
    config = ModelConfig(
        embedding_size=EMBED,
        cell=cell,
        encoder={"hidden_size": HIDDEN // 2},
        decoder={"kind": "conditional", "hidden_size": HIDDEN, "readout_size": READOUT, **decoder},
        attention=attention,
    )
    decoder, _ = randomised(lambda: config.decoder.build(config, rngs=nnx.Rngs(params=0)))
    rng = np.random.default_rng(8)
    annotations = jnp.array(rng.normal(size=(BATCH, SRC, HIDDEN)))
    encoded = EncodedSource(
        annotations=annotations,
        keys=decoder.attention.keys(annotations),
        mask=jnp.array(np.arange(SRC) < np.array([4, 2])[:, None]),
        summary=jnp.array(rng.normal(size=(BATCH, HIDDEN))),
        sample_keys=jax.random.split(jax.random.key(3), BATCH),
        training=True,
    )
    return decoder, encoded, jnp.array(rng.normal(size=(BATCH, TGT, EMBED)))


def _after_attention(decoder):
    """The cells of the bottom layer after the first: that of the context, and further ones."""
    return list(getattr(decoder.second, "cells", [decoder.second]))


def _by_hand(decoder, encoded, embedded):
    """Readouts of one layer: each cell is given the whole state of the one before it."""
    first, cells = decoder.stack.cells[0], _after_attention(decoder)
    state = first.start(jnp.tanh(decoder.stack.initial[0](encoded.summary)))
    mechanism, readouts = decoder.attention.initial_state(encoded), []
    for y in embedded.swapaxes(0, 1):
        state = first.step(state, first.project(y))
        query = first.output(state)
        context, _, mechanism = decoder.attention(query, encoded, mechanism)
        for cell, read in zip(
            cells, [context, *[jnp.zeros((BATCH, 0))] * len(cells[1:])], strict=True
        ):
            state = cell.step(state, cell.project(read))
        inputs = jnp.concatenate([first.output(state), context, y], axis=-1)
        readouts.append(jnp.tanh(decoder.deep_output(inputs)))
    return jnp.stack(readouts, axis=1)


@pytest.mark.parametrize(
    "given",
    [
        *({"cell": cell, "transitions": count} for cell in CELLS for count in (2, 3)),
        *slow_where(
            [{"attention": mechanism} for mechanism in [*MECHANISMS, *COVERAGES]],
            lambda given: given["attention"] not in QUICK,
        ),
    ],
    ids=str,
)
def test_readouts_and_gradients_are_those_of_its_parts_one_after_the_other(given):
    decoder, encoded, embedded = _built(**given)
    masks = dropout_masks(decoder, DropoutConfig(rate=0.0), jnp.dtype("float64"))
    graph, params = nnx.split(decoder)
    factors = np.random.default_rng(5).normal(size=(BATCH, TGT, READOUT))

    def loss(run, params, annotations):
        model = nnx.merge(graph, params)
        source = encoded.replace(annotations=annotations, keys=model.attention.keys(annotations))
        return (run(model, source) * factors).sum()

    def forced(model, source):
        return model.teacher_forced(embedded, source, masks)[0]

    def by_hand(model, source):
        return _by_hand(model, source, embedded)

    arguments = params, encoded.annotations
    found = jax.jit(jax.value_and_grad(lambda *each: loss(forced, *each), (0, 1)))(*arguments)
    wanted = jax.jit(jax.value_and_grad(lambda *each: loss(by_hand, *each), (0, 1)))(*arguments)

    for one, other in zip(jax.tree.leaves(found), jax.tree.leaves(wanted), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)  # weights are float32


@pytest.mark.parametrize(("transitions", "read"), [(2, []), (3, [0]), (5, [0, 0, 0])])
def test_further_cells_have_no_input_matrices(transitions, read):
    decoder, *_ = _built(transitions=transitions)

    sizes = [cell.input.kernel.shape[0] for cell in _after_attention(decoder)]
    assert sizes == [HIDDEN, *read]


def test_fresh_parameters_are_finite_and_a_cell_without_input_has_its_biases():
    config = ModelConfig(
        cell="lstm",
        decoder={"kind": "conditional", "hidden_size": HIDDEN, "transitions": 3},
        encoder={"hidden_size": HIDDEN},
    )
    decoder = config.decoder.build(config, rngs=nnx.Rngs(params=0))

    _, cell = _after_attention(decoder)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(nnx.state(decoder)))
    np.testing.assert_array_equal(
        cell.project(jnp.zeros((1, 0)))[0], np.repeat([0.0, 1.0, 0.0, 0.0], HIDDEN)
    )


@pytest.mark.parametrize(
    ("decoder", "message"),
    [
        (
            {"transitions": 1},
            r"^config: model\.decoder\.transitions: input should be greater than or equal to 2",
        ),
        (
            {"input_feeding": True},
            r"^config: model\.decoder\.input_feeding: unknown key for `kind: cond",
        ),
    ],
)
def test_an_impossible_setting_is_refused_in_one_line(decoder, message):
    data = {"train": "", "validation": ""}
    with pytest.raises(ConfigError, match=message):
        configfile.validate(
            {"data": data, "model": {"decoder": {"kind": "conditional", **decoder}}}
        )
