"""Each score is held against its equation, worked out in NumPy one source position at a time."""

import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from jax.test_util import check_grads

from nmt.attention.normalizers import masked_softmax
from nmt.attention.scores import build_score
from nmt.config import SCORES, GlobalConfig
from nmt.errors import ConfigError

BATCH, SRC, SIZE = 2, 4, 3

OWN_SCORE = """
from flax import nnx

class Distance(nnx.Module):
    def __init__(self, query_size, annotation_size, *, sharpness=1.0, rngs):
        self.sharpness = sharpness

    def keys(self, annotations):
        return annotations

    def __call__(self, query, keys):
        return -self.sharpness * ((query[:, None, :] - keys) ** 2).sum(-1)
"""


@pytest.fixture(autouse=True, scope="module")
def _float64():
    with jax.enable_x64(True):
        yield


@pytest.fixture
def module_folder(tmp_path, monkeypatch):
    """An empty folder that Python looks into; what is imported from it is forgotten afterwards."""
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in ("distance", "plugins", "plugins.distance"):
        sys.modules.pop(name, None)


def _build(name, *, query_size=SIZE, annotation_size=SIZE, **options):
    config = GlobalConfig(score=name, score_options=options)
    return build_score(config, query_size, annotation_size, rngs=nnx.Rngs(params=0))


def _inputs(*, query_size=SIZE, annotation_size=SIZE):
    rng = np.random.default_rng(7)
    return rng.normal(size=(BATCH, query_size)), rng.normal(size=(BATCH, SRC, annotation_size))


def _in_float64(score):
    """Returns graph and parameters; none of them is left at a one or a zero that it starts from."""
    graph, state = nnx.split(score)
    rng = np.random.default_rng(8)
    return graph, jax.tree.map(lambda leaf: leaf + 0.5 * rng.normal(size=leaf.shape), state)


def _equation(name, parameters, s, h, j):
    """Returns score(s, h_j) as the papers print it, for vectors s and h and a position j."""
    matrix = {
        part: np.asarray(layer["kernel"]).T
        for part, layer in parameters.items()
        if part != "scale" and "kernel" in layer
    }
    match name:
        case "additive":
            return matrix["energy"][0] @ np.tanh(matrix["query"] @ s + matrix["key"] @ h)
        case "normed_additive":
            v, g = matrix["energy"][0], float(parameters["scale"])
            bias = np.asarray(parameters["query"]["bias"])
            hidden = np.tanh(matrix["query"] @ s + matrix["key"] @ h + bias)
            return g * (v / np.linalg.norm(v)) @ hidden
        case "dot":
            return s @ h
        case "general":
            return s @ matrix["key"] @ h
        case "scaled_dot":
            return s @ h / np.sqrt(len(s))
        case "scaled_general":
            w = np.asarray(parameters["general"]["key"]["kernel"]).T
            return float(parameters["scale"]) * (s @ w @ h)
        case "location":
            return matrix["position"][j] @ s


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("additive", {}),
        ("additive", {"hidden_size": 5, "annotation_size": 2}),
        ("normed_additive", {}),
        ("normed_additive", {"hidden_size": 5, "annotation_size": 2}),
        ("dot", {}),
        ("general", {}),
        ("general", {"annotation_size": 2}),
        ("scaled_dot", {}),
        ("scaled_general", {}),
        ("scaled_general", {"annotation_size": 2}),
        ("location", {}),
        ("location", {"annotation_size": 2, "max_positions": SRC}),
    ],
)
def test_a_score_follows_its_equation(name, options):
    graph, state = _in_float64(_build(name, **options))
    query, annotations = _inputs(annotation_size=options.get("annotation_size", SIZE))

    score = nnx.merge(graph, state)
    scores = score(jnp.array(query), score.keys(jnp.array(annotations)))

    parameters = nnx.to_pure_dict(state)
    expected = [
        [_equation(name, parameters, query[b], annotations[b, j], j) for j in range(SRC)]
        for b in range(BATCH)
    ]
    np.testing.assert_allclose(scores, expected, rtol=1e-12)


@pytest.mark.parametrize("name", SCORES)
def test_gradients_of_a_score_are_those_of_finite_differences(name):
    graph, state = _in_float64(_build(name))
    leaves, tree = jax.tree.flatten(state)

    @jax.jit
    def scores(leaves, query, annotations):
        score = nnx.merge(graph, jax.tree.unflatten(tree, leaves))
        return score(query, score.keys(annotations))

    check_grads(scores, (leaves, *map(jnp.array, _inputs())), order=1, modes=["rev"])


@pytest.mark.parametrize("name", ["additive", "normed_additive"])
def test_the_hidden_layer_of_an_additive_score_is_as_wide_as_the_query_unless_told(name):
    default, wide = _build(name, query_size=3), _build(name, hidden_size=5)

    assert default.query.kernel.shape == (3, 3)
    assert wide.query.kernel.shape == (3, 5)


def test_the_learnt_scales_and_the_bias_start_as_in_tensorflow_nmt():
    additive, general = _build("normed_additive", hidden_size=16), _build("scaled_general")

    np.testing.assert_allclose(additive.scale[...], 1 / 4)
    np.testing.assert_array_equal(additive.query.bias[...], np.zeros(16))
    np.testing.assert_array_equal(general.scale[...], 1)


def test_the_normed_score_does_not_depend_on_the_length_of_v():
    score = _build("normed_additive")
    query, annotations = (jnp.array(part) for part in _inputs())
    before = score(query, score.keys(annotations))

    score.energy.kernel[...] = 7 * score.energy.kernel[...]

    np.testing.assert_allclose(score(query, score.keys(annotations)), before, rtol=1e-5)


def test_location_never_attends_beyond_its_positions():
    score = _build("location", max_positions=2)
    query, annotations = (jnp.array(part, jnp.float32) for part in _inputs())

    scores = score(query, score.keys(annotations))
    weights = masked_softmax(scores, jnp.ones((BATCH, SRC), bool))

    expected = np.asarray(query) @ np.asarray(score.position.kernel[...])
    np.testing.assert_allclose(scores[:, :2], expected, rtol=1e-5)
    np.testing.assert_array_equal(weights[:, 2:], 0)


@pytest.mark.parametrize("name", SCORES)
def test_scores_of_bfloat16_states_are_summed_in_float32(name):
    score = _build(name)
    graph, state = nnx.split(score)
    rounded = jax.tree.map(lambda leaf: leaf.astype(jnp.bfloat16), state)
    query, annotations = (jnp.array(part, jnp.bfloat16) for part in _inputs())

    score = nnx.merge(graph, rounded)
    scores = score(query, score.keys(annotations))

    assert scores.dtype == jnp.float32
    assert (scores != scores.astype(jnp.bfloat16)).any()


@pytest.mark.parametrize("module", ["distance", "plugins.distance"])
def test_a_score_of_the_users_own_is_found_where_python_looks(module_folder, module):
    path = module_folder / f"{module.replace('.', '/')}.py"
    path.parent.mkdir(exist_ok=True)
    path.write_text(OWN_SCORE)
    query, annotations = _inputs()

    score = _build(f"{module}:Distance", sharpness=2.0)
    scores = score(jnp.array(query), score.keys(jnp.array(annotations)))

    expected = [
        [-2 * sum((query[b] - annotations[b, j]) ** 2) for j in range(SRC)] for b in range(BATCH)
    ]
    np.testing.assert_allclose(scores, expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("score", "options"),
    [("general", {"hidden_size": 5}), ("dot", {"rngs": 1}), ("distance:Distance", {"width": 5})],
)
def test_an_option_that_a_score_does_not_have_is_named(module_folder, score, options):
    (module_folder / "distance.py").write_text(OWN_SCORE)
    (option,) = options

    with pytest.raises(ConfigError, match=rf"score_options: {score}: .* argument '{option}'"):
        _build(score, **options)


def test_an_error_inside_a_score_of_the_users_own_is_shown_where_it_is(module_folder):
    (module_folder / "broken.py").write_text(OWN_SCORE.replace("self.sharpness = ", "len(1) + "))

    with pytest.raises(TypeError, match="has no len"):
        _build("broken:Distance", sharpness=2.0)


@pytest.mark.parametrize("name", ["dot", "scaled_dot"])
def test_a_product_of_two_widths_is_refused(name):
    with pytest.raises(
        ConfigError, match=r"scaled_dot need a query as wide .* 3 and 4; .* 'general'"
    ):
        _build(name, query_size=3, annotation_size=4)


@pytest.mark.parametrize("path", [":Score", ".scores:Score", "math:", "a module:Score"])
def test_a_path_of_another_form_is_refused(path):
    with pytest.raises(ConfigError, match=rf"score: {path} is not of the form package\.module:Cl"):
        _build(path)


@pytest.mark.parametrize(
    ("path", "reason"),
    [("no.such_module:Score", "No module named 'no'"), ("math:Score", "no attribute 'Score'")],
)
def test_a_path_to_nothing_says_what_is_missing(path, reason):
    with pytest.raises(ConfigError, match=rf"score: cannot import {path} \(.*{reason}.*\)"):
        _build(path)


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("collections:OrderedDict", id="no __call__"),
        pytest.param("functools:partial", id="no keys"),
        pytest.param("math:sqrt", id="no class"),
    ],
)
def test_a_path_to_something_else_names_the_two_methods(path):
    with pytest.raises(ConfigError, match=rf"{path} is not a class with the methods `keys` and"):
        _build(path)
