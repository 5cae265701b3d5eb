import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nmt.inference.hypotheses import BLOCK, expand, largest


def test_every_hypothesis_of_a_sentence_starts_from_its_state():
    keys = jax.random.split(jax.random.key(3), 2)
    state = {"hidden": jnp.array([[1.0, 2.0], [3.0, 4.0]]), "keys": keys}

    expanded = expand(state, 3)

    np.testing.assert_array_equal(expanded["hidden"], [[[1.0, 2.0]] * 3, [[3.0, 4.0]] * 3])
    assert (expanded["keys"] == keys[:, None]).all()
    assert expanded["keys"].shape == (2, 3)


@pytest.mark.parametrize("size", [10, 5 * BLOCK, 20 * BLOCK, 37 * BLOCK - 1])
@pytest.mark.parametrize("k", [1, 6])
@pytest.mark.parametrize("backend", ["cpu", "gpu"])
def test_the_largest_values_are_those_that_a_stable_sort_puts_first(monkeypatch, size, k, backend):
    monkeypatch.setattr(jax, "default_backend", lambda: backend)
    rng = np.random.default_rng(size)
    levels = np.repeat([2, 3, 50, 10**6], 5)  # many ties, few ties, none
    values = rng.integers(levels[:, None], size=(20, size)).astype(np.float32)
    impossible = np.tile([0.0, 0.3, 0.9, 0.98, 0.99], 4)
    values[rng.random(values.shape) < impossible[:, None]] = -np.inf
    values[-1] = -np.inf

    best, places = largest(jnp.array(values), k)

    expected = np.argsort(-values, axis=1, kind="stable")[:, :k]
    np.testing.assert_array_equal(places, expected)
    np.testing.assert_array_equal(best, np.take_along_axis(values, expected, axis=1))
