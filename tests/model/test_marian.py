"""Marian's parameters in our conditional decoder: the same probabilities of the same sentences.

Marian 1.12 trains its model `s2s` for a few updates and scores sentences. Its network is ours with
`decoder.kind: conditional` and the score `normed_additive`, up to names, order and sign:

- the update gate has the other sign: it is what is kept of the state;
- the bias of a GRU's proposal stands within the reset in the cells after attention, and outside
  of it in all others (ours have both);
- the additive score has a bias: g = |v| takes the norm out of `normed_additive`;
- all layers of the decoder start from one state, the deep output has a bias for each of its three
  inputs, and an LSTM's forget gate comes first.

Two differences are left, which the test makes up for: the first state of Marian's decoder is made
from the mean of the annotations, ours from the last states of both directions; and Marian's first
input is a vector of zeros, ours the embedding of `<s>`.
"""

import shutil
import subprocess

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sentencepiece
from flax import nnx
from tiny import letters

from nmt.config import ModelConfig
from nmt.model.seq2seq import build
from nmt.model.vocabulary import previous_tokens, real_tokens, token_log_probs

PYMARIAN = shutil.which("pymarian")
EMBED, SIZE, VOCAB = 6, 5, 24
GRU, LSTM = ["--enc-cell", "gru", "--dec-cell", "gru"], ["--enc-cell", "lstm", "--dec-cell", "lstm"]
BIDEEP = "--enc-type alternating --enc-depth 3 --enc-cell-depth 2 --dec-depth 2 --skip"
CASES = {  # Marian's options, and our cell, encoder and decoder
    "two cells": (GRU, "gru", {}, {}),
    "four cells in a step": ([*GRU, "--dec-cell-base-depth", "4"], "gru", {}, {"transitions": 4}),
    "three layers": ([*GRU, "--dec-depth", "3"], "gru", {}, {"layers": 3}),
    "lstm": (LSTM, "lstm", {}, {}),
    "bideep": (
        [*GRU, *BIDEEP.split(), "--dec-cell-base-depth", "3", "--dec-cell-high-depth", "2"],
        "gru",
        {"kind": "alternating", "layers": 3, "transitions": 2, "residual": True},
        {"layers": 2, "transitions": 3, "upper_transitions": 2, "residual": True},
    ),
}

pytestmark = pytest.mark.skipif(PYMARIAN is None, reason="needs Marian: pip install pymarian")


@pytest.fixture(autouse=True, scope="module")
def _float64():
    with jax.enable_x64(True):
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A corpus of letters, which are reversed, and a joint tokenizer as Marian has it."""
    folder = tmp_path_factory.mktemp("marian")
    source = letters(300, longest=7, seed=1)
    for name, lines in {"de": source, "en": [line[::-1] for line in source]}.items():
        (folder / f"text.{name}").write_text("\n".join(lines) + "\n", encoding="utf-8")
    sentencepiece.SentencePieceTrainer.train(
        input=f"{folder}/text.de,{folder}/text.en",
        model_prefix=str(folder / "joint"),
        vocab_size=VOCAB,
        hard_vocab_limit=False,
        eos_id=0,
        unk_id=1,
        bos_id=-1,
        pad_id=-1,
        minloglevel=2,
    )
    (folder / "joint.model").rename(folder / "joint.spm")
    return folder


def _marian(folder, command, model, *options):
    texts, vocabulary = ["text.de", "text.en"], ["joint.spm", "joint.spm"]
    given = ["--train-sets", *texts, "--vocabs", *vocabulary, "--model", model, *options]
    return subprocess.run(
        [PYMARIAN, command, *given, "--cpu-threads", "1", "--quiet", "--workspace", "128"],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    ).stdout


@pytest.mark.parametrize("case", CASES)
def test_marians_parameters_give_marians_scores(folder, case):
    options, cell, encoder, decoder = CASES[case]
    name = f"{case}.npz".replace(" ", "-")
    _marian(
        folder,
        "train",
        name,
        *("--type", "s2s", "--dim-emb", str(EMBED), "--dim-rnn", str(SIZE), *options),
        *("--tied-embeddings-all", "--seed", "1", "--learn-rate", "0.03", "--mini-batch", "20"),
        *("--after-batches", "60", "--save-freq", "1000000"),
    )
    printed = _marian(folder, "score", name)

    arrays = dict(np.load(folder / name))
    model = with_marians_parameters(arrays, cell=cell, encoder=encoder, decoder=decoder)
    found = scores(model, *encoded_texts(folder))

    np.testing.assert_allclose(found, np.array(printed.split(), float), rtol=2e-5)


def encoded_texts(folder):
    """Returns the pieces and the lengths of both sides; id 0 is the end and fills the rows."""
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(folder / "joint.spm"))
    sides = []
    for name in ("text.de", "text.en"):
        lines = (folder / name).read_text(encoding="utf-8").splitlines()
        rows = [[*pieces.encode(line), 0] for line in lines]
        lengths = np.array([len(row) for row in rows])
        padded = [row + [0] * (lengths.max() - len(row)) for row in rows]
        sides += [jnp.array(padded), jnp.array(lengths)]
    return sides


def scores(model, source, source_lengths, target, target_lengths):
    """Returns the log-probability of each target, from the mean of the annotations."""
    graph, params = nnx.split(model)

    @jax.jit
    def forced(params):
        model = nnx.merge(graph, params)
        encoded = model.encode(source, source_lengths)
        mean = encoded.annotations.sum(1) / source_lengths[:, None]
        previous = previous_tokens(target, len(model.output_bias[...]) - 1)
        readouts, _ = model.teacher_forced(previous, encoded.replace(summary=mean))
        log_probs = token_log_probs(model.logits(readouts), target)
        return (log_probs * real_tokens(target_lengths, target.shape[1])).sum(1)

    return np.array(forced(params))


def with_marians_parameters(arrays, *, cell="gru", encoder=None, decoder=None):
    """Returns our model with the parameters of Marian's, and one token more: `<s>`, of zeros."""
    vocabulary, embed = arrays["Wemb"].shape
    size = len(arrays["decoder_cell1_U"])
    config = ModelConfig(
        embedding_size=embed,
        cell=cell,
        encoder={"hidden_size": size} | (encoder or {}),
        decoder={"kind": "conditional", "hidden_size": size} | (decoder or {}),
        attention={"score": "normed_additive", "score_options": {"hidden_size": 2 * size}},
        dropout=0.0,
        tied_embeddings="all",
    )
    sizes = {"source": vocabulary + 1, "target_size": vocabulary + 1}
    graph, state = nnx.split(nnx.eval_shape(lambda: build(config, **sizes, seed=0)))
    given = _ours({name: array.astype(float) for name, array in arrays.items()}, config)
    names = jax.tree_util.tree_map_with_path(lambda path, _: _name(path), nnx.to_pure_dict(state))
    assert sorted(given) == sorted(jax.tree.leaves(names))
    nnx.replace_by_pure_dict(state, jax.tree.map(lambda name: jnp.array(given[name]), names))
    return nnx.merge(graph, state)


def _name(path):
    return ".".join(str(part.key) for part in path)


def _ours(arrays, config):
    """Returns Marian's arrays by our names."""
    part, score = arrays.__getitem__, "decoder.attention.score"
    deep = "decoder_ff_logit_l1"
    given = {
        "target_embedding.embedding": np.pad(part("Wemb"), ((0, 1), (0, 0))),
        "output_bias": np.append(part("decoder_ff_logit_l2_b"), -1e9),
        f"{score}.query.kernel": part("decoder_W_comb_att"),
        f"{score}.query.bias": part("decoder_b_att")[0],
        f"{score}.key.kernel": part("decoder_Wc_att"),
        f"{score}.energy.kernel": part("decoder_U_att"),
        f"{score}.scale": np.linalg.norm(part("decoder_U_att")),
        "decoder.deep_output.kernel": np.concatenate([part(f"{deep}_W{k}") for k in (1, 2, 0)]),
        "decoder.deep_output.bias": sum(part(f"{deep}_b{k}")[0] for k in range(3)),
    }
    for layer in range(config.decoder.layers):
        given[f"decoder.stack.initial.{layer}.kernel"] = part("decoder_ff_state_W")
        given[f"decoder.stack.initial.{layer}.bias"] = part("decoder_ff_state_b")[0]
    kind = {"gru": _gru, "lstm": _lstm}[config.cell.kind]
    for ours, marians in [*_encoder_cells(config.encoder), *_decoder_cells(config.decoder)]:
        final = ours.startswith("decoder.second")
        for name, array in kind(arrays, marians, final=final).items():
            given[f"{ours}.{name}"] = array
    return given


def _encoder_cells(encoder):
    """Yields our names and Marian's of the cells of both directions."""
    columns = {"bidirectional": ("layers.0.forward", "layers.0.backward")}
    columns = columns.get(encoder.kind, ("columns.0.{}", "columns.1.{}"))
    for ours, marians in zip(columns, ("encoder_bi", "encoder_bi_r"), strict=True):
        for layer, depth in enumerate(encoder.depths):
            prefix = marians + (f"_l{layer + 1}" if layer else "")
            names = [f"{prefix}_cell{number + 1}" for number in range(depth)]
            names[0] = names[0] if layer else marians
            yield from _numbered(f"encoder.{ours.format(layer)}", names)


def _decoder_cells(decoder):
    """Yields our names and Marian's of the cells of all layers."""
    second = [f"decoder_cell{number}" for number in range(2, decoder.transitions + 1)]
    yield "decoder.stack.cells.0", "decoder_cell1"
    yield from _numbered("decoder.second", second)
    for layer, depth in enumerate(decoder.depths[1:], start=1):
        names = [f"decoder_l{layer + 1}_cell{number + 1}" for number in range(depth)]
        yield from _numbered(f"decoder.stack.cells.{layer}", names)


def _numbered(ours, names):
    """Pairs our cell, or those that it is made of, with Marian's names."""
    alone = len(names) == 1
    return [(ours if alone else f"{ours}.cells.{k}", name) for k, name in enumerate(names)]


def _gru(arrays, prefix, *, final):
    """Returns a GRU; in a `final` one the bias of the proposal stands within the reset."""
    hidden = len(arrays[f"{prefix}_U"])
    signs = np.repeat([1, -1, 1], hidden)  # of reset gate, update gate and proposal
    empty = np.zeros((0, 2 * hidden)), np.zeros((0, hidden))
    W = arrays.get(f"{prefix}_W", empty[0]), arrays.get(f"{prefix}_Wx", empty[1])
    b, bx = arrays[f"{prefix}_b"][0], arrays[f"{prefix}_bx"][0]
    return {
        "input.kernel": np.hstack(W) * signs,
        "input.bias": np.append(b, 0 * bx if final else bx) * signs,
        "recurrent": np.hstack([arrays[f"{prefix}_U"], arrays[f"{prefix}_Ux"]]) * signs,
        "proposal_bias": bx if final else 0 * bx,
    }


def _lstm(arrays, prefix, *, final):
    """Returns an LSTM, whose input gate comes before its forget gate."""

    def ordered(gates):
        forget, write, *others = np.split(gates, 4, axis=1)
        return np.hstack([write, forget, *others])

    W, U, b = (ordered(arrays[f"{prefix}_{name}"]) for name in "WUb")
    return {"input.kernel": W, "input.bias": b[0], "recurrent": U}
