"""The scan with gradients put off: the values and gradients of `jax.lax.scan`, in float64."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from hypothesis import given, settings
from hypothesis import strategies as st

from nmt.attention.scores import AdditiveScore
from nmt.config import GRUConfig
from nmt.recurrent.cell import run
from nmt.recurrent.scan import scan
from nmt.recurrent.transition import build


@pytest.fixture(autouse=True)
def float64():
    with jax.enable_x64(True):
        yield


def _random(*shape, seed=0):
    return jnp.asarray(np.random.default_rng([seed, *shape]).normal(size=shape))


def _attentive(scan, matrix, encoded, bias, initial, inputs, *, numbers, reverse):
    """A recurrence with each kind of invariant: twice used, turned, added, returned, integer."""

    def step(state, now):
        inputs, number = now
        shares = jax.nn.softmax(jnp.einsum("bi,bsi->bs", state, encoded))
        context = jnp.einsum("bs,bsi->bi", shares, encoded)
        new = jnp.tanh((state + context) @ (2 * matrix.T) + state @ matrix + bias[None, :] + inputs)
        return new * number, (jax.nn.sigmoid(new), bias)

    last, (states, biases) = scan(step, initial, (inputs, numbers), reverse=reverse)
    return jnp.sum(last**2) + jnp.sum(states**3) + jnp.sum(biases)


@settings(max_examples=8)  # each compiles two programs
@given(
    steps=st.integers(1, 4),
    batch=st.integers(1, 3),
    size=st.integers(1, 4),
    source=st.integers(1, 3),
    reverse=st.booleans(),
)
def test_values_and_gradients_are_those_of_lax_scan(steps, batch, size, source, reverse):
    arrays = [
        _random(*shape)
        for shape in (
            (size, size),
            (batch, source, size),
            (size,),
            (batch, size),
            (steps, batch, size),
        )
    ]
    numbers = jnp.arange(1, steps + 1)

    found, expected = (
        jax.jit(
            jax.value_and_grad(
                partial(_attentive, each, numbers=numbers, reverse=reverse), argnums=range(5)
            )
        )(*arrays)
        for each in (scan, jax.lax.scan)
    )

    jax.tree.map(
        lambda one, other: np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12),
        found,
        expected,
    )


def _loops(jaxpr):
    """Yields the shapes that each loop of a program carries, and those that it stacks."""
    for equation in jaxpr.eqns:
        if equation.primitive.name == "scan":
            carried = equation.params["num_carry"]
            shapes = [variable.aval.shape for variable in equation.outvars]
            yield shapes[:carried], shapes[carried:]
        for inner in jax.tree.leaves(
            list(equation.params.values()), is_leaf=lambda leaf: hasattr(leaf, "jaxpr")
        ):
            if hasattr(inner, "jaxpr"):
                yield from _loops(inner.jaxpr)


def _of_gru(batch, *, transitions=1, dropout=None, **options):
    gru = build(GRUConfig(**options), 3, 5, transitions=transitions, rngs=nnx.Rngs(params=0))
    graph, parameters = nnx.split(gru)

    def loss(parameters):
        model = nnx.merge(graph, parameters)
        inputs, start = jnp.ones((batch, 7, 3)), jnp.zeros((batch, 5))
        return jnp.sum(run(model, inputs, start, dropout=dropout))

    return list(_loops(jax.make_jaxpr(jax.grad(loss))(parameters).jaxpr))


@pytest.mark.parametrize(
    "options",
    [{}, {"layer_norm": True}, {"transitions": 3}, {"dropout": jnp.ones((2, 5))},
     {"layer_norm": True, "transitions": 2, "dropout": jnp.ones((2, 5))}],
    ids=lambda options: ", ".join(options) or "plain",
)  # fmt: skip
def test_no_loop_carries_the_gradient_of_a_recurrent_matrix(options):
    carried = [shape for loop in _of_gru(batch=2, **options) for shape in loop[0]]

    assert (2, 5) in carried
    assert (5, 15) not in carried


def test_a_batch_larger_than_the_matrix_is_not_kept_for_it():
    carried = [shape for loop in _of_gru(batch=64) for shape in loop[0]]

    assert (5, 15) in carried


def test_additive_attention_keeps_no_array_of_target_source_and_hidden_size():
    batch, source, target, size = 2, 7, 11, 13
    score = AdditiveScore(size, size, rngs=nnx.Rngs(params=0))
    graph, parameters = nnx.split(score)

    def loss(parameters, annotations):
        model = nnx.merge(graph, parameters)
        keys = model.keys(annotations)

        def step(state, _):
            shares = jax.nn.softmax(model(state, keys))
            return jnp.einsum("bs,bsk->bk", shares, annotations), shares

        last, _ = scan(step, jnp.ones((batch, size)), jnp.zeros(target))
        return jnp.sum(last)

    traced = jax.make_jaxpr(jax.grad(loss))(parameters, jnp.ones((batch, source, size)))
    stacked = [shape for loop in _loops(traced.jaxpr) for shape in loop[1]]

    assert (target, batch, source) in stacked
    assert (target, batch, source, size) not in stacked
