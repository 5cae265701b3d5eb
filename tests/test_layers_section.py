"""Layers, transitions, residual connections and layer normalization in the configuration."""

import re
from pathlib import Path

import pytest
import yaml
from flax import nnx

from nmt import configfile
from nmt.config import ModelConfig
from nmt.errors import ConfigError
from nmt.model.parameters import named
from nmt.model.seq2seq import build

PAGE = (Path(__file__).parents[1] / "docs" / "networks.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^    model:(?:.*\n(?:    .*\n)*)", PAGE, re.M)

# Names of a model of version 0.1, which checkpoints have.
NAMES = {
    "decoder.attention.score.energy.kernel",
    "decoder.attention.score.key.kernel",
    "decoder.attention.score.query.kernel",
    "decoder.combine.kernel",
    "decoder.input_feed.kernel",
    *(
        f"{cell}.{name}"
        for cell in (
            "decoder.stack.cells.0",
            "encoder.layers.0.backward",
            "encoder.layers.0.forward",
        )
        for name in ("input.bias", "input.kernel", "proposal_bias", "recurrent")
    ),
    "decoder.stack.initial.0.bias",
    "decoder.stack.initial.0.kernel",
    "output.embedding",
    "output_bias",
    "source_embedding.embedding",
    "target_embedding.embedding",
}
BOTTOM = "decoder.stack.cells.0"


def shapes(**model):
    config = ModelConfig(
        embedding_size=4, **{"encoder": {"hidden_size": 3}, "decoder": {"hidden_size": 5}, **model}
    )
    network = nnx.eval_shape(lambda: build(config, source=7, target_size=7, seed=0))
    return {name: leaf.shape for name, leaf in named(nnx.state(network, nnx.Param)).items()}


def test_the_parameters_of_a_default_model_have_the_names_that_checkpoints_have():
    assert set(shapes()) == NAMES


@pytest.mark.parametrize(
    ("model", "added"),
    [
        (
            {"cell": {"kind": "gru", "layer_norm": True}},
            {f"{BOTTOM}.norm.input": (15,), f"{BOTTOM}.norm.recurrent": (15,)},
        ),
        (
            {"cell": {"kind": "lstm", "layer_norm": True}},
            {f"{BOTTOM}.norm.input": (20,), f"{BOTTOM}.memory_gain": (5,)},
        ),
        (
            {"decoder": {"hidden_size": 5, "transitions": 2}},
            {
                f"{BOTTOM}.cells.0.input.kernel": (4, 15),
                f"{BOTTOM}.cells.1.input.kernel": (0, 15),
                f"{BOTTOM}.cells.1.recurrent": (5, 15),
            },
        ),
        (
            {"encoder": {"hidden_size": 3, "layers": 2, "residual": True}},
            {"encoder.layers.1.forward.input.kernel": (6, 9)},
        ),
        (
            {"encoder": {"kind": "alternating", "hidden_size": 3}},
            {
                "encoder.columns.0.0.input.kernel": (4, 9),
                "encoder.columns.1.1.input.kernel": (3, 9),
            },
        ),
        (
            {"decoder": {"kind": "conditional", "hidden_size": 5, "layers": 2,
                         "transitions": 3, "upper_transitions": 2}},
            {
                f"{BOTTOM}.input.kernel": (4, 15),
                "decoder.second.cells.0.input.kernel": (6, 15),
                "decoder.second.cells.1.input.kernel": (0, 15),
                "decoder.stack.cells.1.cells.0.input.kernel": (5, 15),
                "decoder.stack.cells.1.cells.1.input.kernel": (0, 15),
            },
        ),
    ],
)  # fmt: skip
def test_settings_give_a_model_the_parameters_of_their_equations(model, added):
    found = shapes(**model)

    assert {name: found[name] for name in added} == added


@pytest.mark.parametrize("text", EXAMPLES)
def test_an_example_of_the_page_on_networks_builds_a_model(text):
    assert shapes(**yaml.safe_load(text)["model"])


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("encoder: {residual: true}",
         "model.encoder: `residual: true` would do nothing with one layer: leave it out, or set "
         "`layers`"),
        ("decoder: {residual: true}",
         "model.decoder: `residual: true` would do nothing with one layer: leave it out, or set "
         "`layers`"),
        ("decoder: {kind: conditional, residual: true}",
         "model.decoder: `residual: true` would do nothing with one layer: leave it out, or set "
         "`layers`"),
        ("decoder: {kind: conditional, upper_transitions: 2}",
         "model.decoder: `upper_transitions` would do nothing with one layer: leave it out, or set "
         "`layers`"),
        ("decoder: {upper_transitions: 2}",
         "model.decoder.upper_transitions: unknown key for `kind: luong`, which has hidden_size, "
         "layers, transitions, residual, readout_size, initial_state, input_feeding; it belongs to "
         "conditional"),
        ("decoder: {kind: xu, initial_state: learned}",
         "model.decoder: `kind: xu` makes its first state from the mean annotation: leave out "
         "`initial_state: learned`, or choose `kind: bahdanau`"),
        ("encoder: {transitions: 0}",
         "model.encoder.transitions: input should be greater than or equal to 1, not 0"),
        ("encoder: {kind: alternating, layers: 1}",
         "model.encoder.layers: input should be greater than or equal to 2, not 1"),
        ("encoder: {kind: alternate}",
         "model.encoder: unknown kind 'alternate'; did you mean alternating? known: bidirectional, "
         "alternating, identity, conv"),
        ("cell: {layer_norm: 3}",
         "model.cell.layer_norm: expected true or false, not 3"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line(model, message):
    tree = {"data": {"train": "a", "validation": "b"}, "model": yaml.safe_load(model)}

    with pytest.raises(ConfigError) as caught:
        configfile.validate(tree, where="small.yaml")

    assert str(caught.value) == f"small.yaml: {message}"
