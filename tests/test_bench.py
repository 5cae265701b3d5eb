import ast
import json
import math
import re
import runpy
import sys
from functools import partial
from pathlib import Path

import jax
import jax.extend.core
import jax.numpy as jnp
import jaxtyping
import pytest
from flax import nnx
from jax.experimental.compilation_cache import compilation_cache
from tiers import slow_where

from nmt import cli, configfile
from nmt.bench.sizes import SIZES, Size, choose
from nmt.bench.speed import measure
from nmt.bench.table import render
from nmt.config import ModelConfig
from nmt.errors import ConfigError
from nmt.flops import decoding_flops, training_flops
from nmt.model.seq2seq import build

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


DECODERS = {
    "luong": {"kind": "luong"},
    "bahdanau": {"kind": "bahdanau"},
    "conditional": {"kind": "conditional"},
    "conditional of four cells": {"kind": "conditional", "transitions": 4},
    "luong of two deep layers": {"kind": "luong", "layers": 2, "transitions": 3},
    "conditional of three layers": {"kind": "conditional", "layers": 3, "upper_transitions": 2},
    "xu": {"kind": "xu"},
    "luong, learned first state": {"kind": "luong", "initial_state": "learned"},
}
ENCODERS = {
    "bidirectional": {"layers": 3, "transitions": 2, "residual": True},
    "alternating": {"kind": "alternating", "layers": 3, "transitions": 2},
}


def model_of(decoder, *, scale=1, encoder=None, lexical_model=False, **attention):
    """Sizes that all differ, so that no two of them can be mistaken for each other.

    The readout of `xu` is a sum with the embedding, and must be as wide.
    """
    sizes = {"hidden_size": 14 * scale, "readout_size": (10 if decoder == "xu" else 8) * scale}
    return ModelConfig.model_validate(
        {
            "embedding_size": 10 * scale,
            "encoder": ENCODERS.get(encoder, {}) | {"hidden_size": 6 * scale},
            "decoder": DECODERS[decoder] | sizes,
            "attention": {"score_options": attention},
            "lexical_model": lexical_model,
        }
    )


def products(jaxpr):
    """The operations of all matrix products in a traced program, those of a scan at each step."""
    total = 0
    for equation in jaxpr.eqns:
        if equation.primitive.name == "dot_general":
            (summed, _), _ = equation.params["dimension_numbers"]
            shape = equation.invars[0].aval.shape
            size = math.prod(equation.outvars[0].aval.shape)
            total += 2 * size * math.prod(shape[axis] for axis in summed)
        inner = sum(products(each) for each in jax.extend.core.jaxprs_in_params(equation.params))
        total += equation.params.get("length", 1) * inner
    return total


def forward(model, tokens):
    """Encodes, decodes and scores given tokens: the forward pass of training."""
    encoded = model.encode(tokens, jnp.full(len(tokens), tokens.shape[1]))
    return model.logits(model.teacher_forced(tokens, encoded)[0])


def outlined(config, vocabulary):
    """The graph and the shapes of a model that is not made: its programs are only looked at."""
    made = partial(build, config, source=vocabulary, target_size=vocabulary, seed=1)
    return nnx.split(nnx.eval_shape(made))


def program_of(config, vocabulary):
    """The forward pass as a function of parameters and tokens, and the shapes of the former."""
    graph, params = outlined(config, vocabulary)
    return lambda params, tokens: forward(nnx.merge(graph, params), tokens), params


OPTIONS = [{"hidden_size": 18}, {"lexical_model": True}, *({"encoder": name} for name in ENCODERS)]
QUICK = "luong", "conditional of four cells", "xu"  # with each option


@pytest.mark.parametrize(
    ("decoder", "options"),
    [
        *((decoder, {}) for decoder in DECODERS),
        *(
            pytest.param(decoder, each, marks=() if decoder in QUICK else pytest.mark.slow)
            for decoder in DECODERS
            for each in OPTIONS
        ),
    ],
)
def test_training_takes_three_times_the_products_of_the_traced_forward_pass(decoder, options):
    config, rows, length, vocabulary = model_of(decoder, **options), 3, 5, 22
    program, params = program_of(config, vocabulary)
    traced = jax.make_jaxpr(program)(params, jax.ShapeDtypeStruct((rows, length), jnp.int32))

    work = training_flops(config, vocabulary=vocabulary, length=length)

    assert work * rows * length == pytest.approx(3 * products(traced.jaxpr), rel=1e-12)


@pytest.mark.parametrize("decoder", slow_where(DECODERS, lambda each: each not in QUICK))
def test_the_forward_pass_has_the_operations_that_xla_counts(decoder):
    # XLA counts the body of a loop once: one position. It also counts gates and softmax.
    config, rows, vocabulary = model_of(decoder, scale=12), 2, 500
    program, params = program_of(config, vocabulary)
    tokens = jax.ShapeDtypeStruct((rows, 1), jnp.int32)
    counted = jax.jit(program).lower(params, tokens).cost_analysis()["flops"]

    work = training_flops(config, vocabulary=vocabulary, length=1) / 3 * rows

    assert 0.95 * counted < work < counted


@pytest.mark.parametrize("beam", [1, 3])
@pytest.mark.parametrize("decoder", DECODERS)
def test_decoding_takes_the_products_of_the_encoder_and_of_each_hypothesis(decoder, beam):
    config, length, vocabulary = model_of(decoder), 5, 22
    graph, params = outlined(config, vocabulary)

    def start(params, source):
        model = nnx.merge(graph, params)
        encoded = model.encode(source, jnp.array([length]))
        return model, encoded, model.initial_state(encoded)

    def step(params, source, tokens):
        model, encoded, state = start(params, source)
        state = jax.tree.map(lambda leaf: jnp.stack([leaf] * beam, 1), state)
        return jax.vmap(model.decode_step, in_axes=(1, 1, None), out_axes=1)(state, tokens, encoded)

    source, tokens = (jax.ShapeDtypeStruct(shape, jnp.int32) for shape in ((1, length), (1, beam)))
    once = products(jax.make_jaxpr(lambda *a: start(*a)[1:])(params, source).jaxpr)
    both = products(jax.make_jaxpr(step)(params, source, tokens).jaxpr)

    work = decoding_flops(config, vocabulary=vocabulary, length=length, beam=beam)

    expected = once / length + both - once
    assert work == pytest.approx(expected, rel=1e-12)


@pytest.fixture(scope="module")
def disk(tmp_path_factory):
    """Where jax keeps compiled programs."""
    folder = tmp_path_factory.mktemp("programs")
    settings = {
        "jax_compilation_cache_dir": str(folder),
        "jax_persistent_cache_min_compile_time_secs": 0.0,
    }
    before = {name: getattr(jax.config, name) for name in settings}
    for name, value in settings.items():
        jax.config.update(name, value)
    compilation_cache.reset_cache()
    yield folder
    for name, value in before.items():
        jax.config.update(name, value)
    compilation_cache.reset_cache()


@pytest.fixture(scope="module")
def figures(disk):
    model = model_of("luong").model_dump()
    sizes = {"luong": Size(rows=2, length=3, vocabulary=20, model=model, repeats=1)}
    # To describe a lowered step, jax fills a TrainState with what are not arrays.
    jaxtyping.config.update("jaxtyping_disable", True)
    try:
        return json.loads(json.dumps(measure(sizes, dtype="bfloat16")))
    finally:
        jaxtyping.config.update("jaxtyping_disable", False)


def numbers(table):
    """The (size, figure, number) rows of a printed table."""
    size, rows = "", []
    for line in table.splitlines():
        if line.startswith("│"):
            name, figure, value = (cell.strip() for cell in line.strip("│").split("│"))
            size = name or size
            rows.append((size, figure, re.match(r"[\d,.]+", value)[0].replace(",", "")))
    return rows


def test_the_table_has_the_figures_of_the_json(figures):
    names = {
        "sentence pairs per batch and device": ("rows", 1),
        "training": ("target_tokens_per_second", 1),
        "work of training": ("mflop_per_token", 1),
        "share of the matrix rate": ("share", 100),
        "compilation of a training step": ("compile_seconds", 1),
        "compilations": ("compilations", 1),
        "memory of a training step per device": ("peak_memory_bytes", 1e-6),
    }
    doubled = jax.tree.map(lambda figure: 2 * figure, figures["sizes"]["luong"])
    figures = figures | {"sizes": figures["sizes"] | {"doubled": doubled}}
    expected = [("", "matrix products, bfloat16", figures["matrix_gflops"])]
    for name, size in figures["sizes"].items():
        expected += [(name, figure, size[key] * unit) for figure, (key, unit) in names.items()]
        for beam in ("1", "5"):
            expected += [
                (name, f"decoding, beam {beam}", size["sentences_per_second"][beam]),
                (name, f"work of decoding, beam {beam}", size["mflop_per_decoded_token"][beam]),
            ]

    shown = numbers(render(figures))

    assert [row[:2] for row in shown] == [row[:2] for row in expected]
    for (*_, text), (*_, value) in zip(shown, expected, strict=True):
        digits = len(text.partition(".")[2])
        assert float(text) == pytest.approx(value, abs=0.5001 * 10**-digits)


def test_a_training_step_is_compiled_once_and_holds_parameters_and_moments(figures):
    for kind, size in figures["sizes"].items():
        _, params = outlined(model_of(kind), 20)
        parameters = sum(leaf.size for leaf in jax.tree.leaves(params))

        assert size["compilations"] == 1
        # float32 parameters, Adam's two moments, and at the least one bfloat16 gradient
        assert parameters * (3 * 4 + 2) < size["peak_memory_bytes"] < parameters * 100


def test_a_training_step_is_compiled_anew_where_programs_are_kept_on_disk(figures, disk):
    kept = [path.name for path in disk.iterdir()]

    assert any("search" in name for name in kept)  # that of decoding, so programs are kept
    assert not any("_fun" in name for name in kept)


def test_the_share_is_that_of_the_work_in_the_matrix_rate(figures):
    for size in figures["sizes"].values():
        rate = size["target_tokens_per_second"] / jax.local_device_count()
        gflops = rate * size["mflop_per_token"] / 1e3

        assert size["share"] == pytest.approx(gflops / figures["matrix_gflops"])


def test_sizes_are_chosen_by_name_with_other_rows():
    assert choose([]) == SIZES
    assert list(choose(["rnnsearch50"])) == ["rnnsearch50"]
    assert choose(["multi30k"], rows=512)["multi30k"].rows == 512


def test_rnnsearch50_is_the_network_of_its_configuration():
    loaded = configfile.load(BENCHMARKS.parent / "configs" / "rnnsearch-50.yaml")

    size = SIZES["rnnsearch50"]
    model = ModelConfig.model_validate(size.model)
    assert (size.rows, size.vocabulary) == (80, 30000)
    assert (loaded.data.batch.sentences, loaded.tokenizer.vocabulary_size) == (80, 30000)
    for each in (model, loaded.model):
        assert (each.embedding_size, each.annotation_size, each.readout_size) == (620, 2000, 500)
        assert (each.decoder.kind, each.decoder.hidden_size) == ("bahdanau", 1000)
        assert (each.attention.score, each.tied_embeddings) == ("additive", "none")
        assert each.attention.score_options.get("hidden_size", 1000) == 1000


def test_the_torch_reference_has_the_same_sizes():
    script = ast.parse((BENCHMARKS / "torch_reference.py").read_text(encoding="utf-8"))
    assigned = {
        node.targets[0].id: node.value
        for node in script.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }

    sizes = {name: (size, ModelConfig.model_validate(size.model)) for name, size in SIZES.items()}
    assert ast.literal_eval(assigned["SIZES"]) == {
        name: {
            "kind": model.decoder.kind,
            "rows": size.rows,
            "length": size.length,
            "vocabulary": size.vocabulary,
            "embed": model.embedding_size,
            "half": model.encoder.hidden_size,
            "state": model.decoder.hidden_size,
            "readout": model.readout_size,
            "dropout": model.dropout.rate,
        }
        for name, (size, model) in sizes.items()
    }


def test_an_unknown_size_or_type_is_one_line(monkeypatch, capsys):
    with pytest.raises(ConfigError, match="no such size; choose multi30k or rnnsearch50"):
        choose(["multi30"])
    with pytest.raises(ConfigError, match=r"dtype: .*'float32' or 'bfloat16', not 'half'"):
        measure(dtype="half")

    monkeypatch.setattr(sys, "argv", ["nmt", "bench", "--size", "wmt"])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 2
    error = capsys.readouterr().err
    assert error == "nmt: wmt: no such size; choose multi30k or rnnsearch50\n"


def test_the_torch_reference_says_when_torch_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(SystemExit, match=r"needs PyTorch.*pip install torch"):
        runpy.run_path(str(BENCHMARKS / "torch_reference.py"), run_name="__main__")
