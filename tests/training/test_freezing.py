"""Frozen parameters stay as they are, to the last bit, and are no part of the gradient."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from steps import KEY, batch, config, fresh, stepper
from tiny import tree, write_corpus

from nmt import configfile
from nmt.errors import ConfigError
from nmt.model import parameters
from nmt.model.build import build_model
from nmt.training import freezing
from nmt.training.session import train
from nmt.training.step import shard

pytestmark = pytest.mark.usefixtures("compiled_once")

RULES = {
    "adam": {},
    "adamw": {"optimizer": {"kind": "adamw", "weight_decay": 0.5}},
    "adadelta": {"optimizer": "adadelta", "learning_rate": 1.0},
    "sgd": {"optimizer": "sgd", "learning_rate": 1.0},
}
PARTS = [
    ["encoder"],
    ["source_embedding", "target_embedding.embedding"],
    ["decoder.stack.cells.0", "output_bias"],
    ["encoder", "decoder", "output", "output_bias", "source_embedding"],
]


def updated(updates=1, **training):
    """Returns the parameters before and after, by name, and the metrics of the last update."""
    settings = config(training)
    state, step = fresh(settings), stepper(settings)
    before = jax.device_get(parameters.named(state.params))
    for _ in range(updates):
        state, metrics = step(state, shard(batch()), KEY)
    return before, jax.device_get(parameters.named(state.params)), metrics


@pytest.mark.parametrize(("rule", "parts"), list(zip(RULES, PARTS, strict=True)))
def test_only_what_is_not_frozen_is_updated(rule, parts):
    before, after, _ = updated(2, freeze=parts, **RULES[rule])

    still = {name for name in before if np.array_equal(before[name], after[name])}
    assert still == {
        name for name in before if any(name == p or name.startswith(p + ".") for p in parts)
    }


@pytest.mark.parametrize(
    "parts", [PARTS[1], pytest.param(PARTS[2], marks=pytest.mark.slow)], ids=" ".join
)
def test_the_norm_is_that_of_the_trained_ones_and_so_is_the_clipping(parts):
    plain = {"optimizer": "sgd", "learning_rate": 1.0, "clip_norm": None}
    before, after, _ = updated(**plain)
    gradient = {name: before[name] - after[name] for name in before}  # the rate is 1
    trained = [name for name in before if not freezing.is_frozen(name, parts)]
    norm = np.sqrt(sum(np.sum(np.square(gradient[name])) for name in trained))

    _, unclipped, metrics = updated(freeze=parts, **plain)
    _, clipped, _ = updated(freeze=parts, **{**plain, "clip_norm": float(norm) / 2})

    assert float(metrics.gradient_norm) == pytest.approx(norm, rel=1e-4)
    for name in trained:
        np.testing.assert_allclose(unclipped[name], after[name], rtol=1e-4, atol=1e-6)
        half = (before[name] + after[name]) / 2
        np.testing.assert_allclose(clipped[name], half, rtol=1e-4, atol=1e-6)


def test_gradients_of_frozen_parameters_are_not_computed():
    def products(parts):
        settings = config({"freeze": parts})
        jaxpr = jax.make_jaxpr(stepper(settings))(fresh(settings), shard(batch()), KEY)
        return str(jaxpr).count("dot_general")

    none, encoder, both = map(products, ([], ["encoder"], ["encoder", "source_embedding"]))
    assert both < encoder < none


@pytest.mark.parametrize(
    ("name", "parts", "expected"),
    [
        ("encoder.layers.0.forward.recurrent", ["encoder"], True),
        ("encoder.layers.0.forward.recurrent", ["encoder.layers.0"], True),
        ("encoder.layers.0.forward.recurrent", ["encoder.layers.0.forward.recurrent"], True),
        ("encoder.layers.10.forward.recurrent", ["encoder.layers.1"], False),
        ("encoder_norm.scale", ["encoder"], False),
        ("output.embedding", ["output"], True),
        ("output_bias", ["output"], True),
        ("lexical_model.output.embedding", ["output"], True),
        ("target_embedding.embedding", ["output"], False),
        ("decoder.attention.score.key.kernel", ["attention"], False),
        ("output_bias", ["encoder", "output_bias"], True),
        ("output_bias", [], False),
    ],
)
def test_a_part_is_whole_components_from_the_front_or_a_part_of_info(name, parts, expected):
    assert freezing.is_frozen(name, parts) == expected


@pytest.mark.parametrize(
    ("freeze", "message"),
    [
        (
            ["encoder", "encodr"],
            r"training\.freeze: no parameter and no part of the model is named 'encodr'; there are "
            r"decoder, encoder, output, output_bias, source_embedding, target_embedding$",
        ),
        (
            ["decoder.cells"],
            r"is named 'decoder\.cells'; there are decoder\.attention, decoder\.combine, "
            r"decoder\.input_feed, decoder\.stack$",
        ),
        (["decoder.stack.cells.1"], r"named 'decoder\.stack\.cells\.1'; there are "),
        ([""], "is named ''; there are decoder, "),
        (
            [*PARTS[3], "target_embedding"],
            r"^training\.freeze names all parameters: leave out what is to be trained$",
        ),
    ],
)
def test_a_name_of_nothing_and_names_of_all_are_mistakes(tmp_path, freeze, message):
    corpus = write_corpus(tmp_path)
    settings = configfile.validate(tree(tmp_path / "run", corpus, freeze=freeze))

    with pytest.raises(ConfigError, match=message):
        train(settings)
    assert not (tmp_path / "run" / "config.yaml").exists()


@pytest.mark.slow
def test_a_resumed_run_keeps_frozen_what_was(tmp_path, capsys):
    corpus = write_corpus(tmp_path)

    def trained(run, steps):
        settings = tree(
            tmp_path / run, corpus, freeze=["encoder", "target_embedding"],
            learning_rate=0.01, max_steps=steps, validate_every=2,
        )  # fmt: skip
        return train(configfile.validate(settings))

    whole = trained("whole", 4)
    trained("stopped", 2)
    stopped = trained("stopped", 4)

    fresh = nnx.state(build_model(whole.config, whole.tokenizers()), nnx.Param)
    template = {"params": fresh}
    ends = [parameters.named(run.restore("last", template)["params"]) for run in (whole, stopped)]
    for name, array in parameters.named(fresh).items():
        np.testing.assert_array_equal(ends[0][name], ends[1][name])
        frozen = name.startswith(("encoder.", "target_embedding."))
        assert bool(jnp.array_equal(array, ends[0][name])) == frozen, name
    # Encoder: 2 x ((6 + 5) x 15 + 15 + 5) numbers; target embedding: 14 x 6.
    assert f"{tmp_path / 'whole'}: 454 of " in capsys.readouterr().err
