"""The papers' equations in plain NumPy: one sentence, one position at a time, in float64.

A GRU's parameters hold the reset gate, the update gate and the proposal side by side. All vectors
are columns, as in the papers, so that a layer's kernel is the transpose of the printed matrix.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

UNOPTIMISED = {"xla_backend_optimization_level": 0}  # tiny arrays: compiling is what takes time


def randomised(build):
    """Returns a module with random parameters, biases too, and these parameters as NumPy.

    Of `build` only the shapes are taken: compiling its initializers would take seconds.
    """
    rng = np.random.default_rng(0)
    graph, state = nnx.split(nnx.eval_shape(build))
    state = jax.tree.map(lambda leaf: jnp.array(rng.normal(0, 0.6, leaf.shape)), state)
    return nnx.merge(graph, state), jax.tree.map(np.asarray, nnx.to_pure_dict(state))


def compiled(function):
    """Returns the function, whose first argument is a module, compiled."""

    @partial(jax.jit, static_argnums=0, compiler_options=UNOPTIMISED)
    def run(graph, state, *arguments):
        return function(nnx.merge(graph, state), *arguments)

    return lambda module, *arguments: run(*nnx.split(module), *arguments)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def affine(layer, x):
    return layer["kernel"].T @ x + layer.get("bias", 0)


def layer_norm(a, gain):
    mean = sum(a) / len(a)
    variance = sum((each - mean) ** 2 for each in a) / len(a)
    return gain * (a - mean) / np.sqrt(variance + 1e-5)


def sides(cell, x, s, *, gates):
    """Returns W x and U s of each gate, normalized if the cell has gains."""
    found = []
    for kernel, vector, side in [
        (cell["input"]["kernel"], x, "input"),
        (cell["recurrent"], s, "recurrent"),
    ]:
        parts = [matrix @ vector for matrix in np.split(kernel.T, gates)]
        if cell.get("norm"):
            gains = np.split(cell["norm"][side], gates)
            parts = [layer_norm(part, gain) for part, gain in zip(parts, gains, strict=True)]
        found.append(parts)
    return found


def gru_step(cell, s, x, dropped=1):
    """Returns s'; where a recurrent matrix reads s, `dropped` are the factors of its components."""
    (x_r, x_z, x_p), (s_r, s_z, s_p) = sides(cell, x, s * dropped, gates=3)
    b_r, b_z, b = np.split(cell["input"]["bias"], 3)
    r = sigmoid(x_r + s_r + b_r)
    z = sigmoid(x_z + s_z + b_z)
    proposal = np.tanh(x_p + b + r * (s_p + cell["proposal_bias"]))
    return (1 - z) * s + z * proposal


def deep_step(cell, s, x, dropped=1):
    """Returns the state after a time step of one GRU, or of several in sequence."""
    first, *others = cell.get("cells", {0: cell}).values()
    s = gru_step(first, s, x, dropped)
    for other in others:
        s = gru_step(other, s, np.zeros(0), dropped)
    return s


def gru_states(cell, s, inputs):
    states = []
    for x in inputs:
        s = deep_step(cell, s, x)
        states.append(s)
    return states


def encode(encoder, inputs, *, residual=False):
    """Returns the annotations of a sentence, and the last state of each direction."""
    for number, layer in encoder["layers"].items():
        zeros = np.zeros(len(layer["forward"]["proposal_bias"]))
        forward = gru_states(layer["forward"], zeros, inputs)
        backward = gru_states(layer["backward"], zeros, inputs[::-1])[::-1]
        outputs = np.array([np.concatenate(pair) for pair in zip(forward, backward, strict=True)])
        inputs = outputs + inputs if residual and number else outputs
    half = inputs.shape[1] // 2
    return inputs, np.concatenate([inputs[-1, :half], inputs[0, half:]])


def additive(score, s, h):
    return (
        score["energy"]["kernel"].T @ np.tanh(affine(score["query"], s) + affine(score["key"], h))
    )[0]


def general(score, s, h):
    return s @ affine(score["key"], h)


def attend(decoder, score, query, annotations, summary):
    """Returns context and weights; without a score, the summary and weights of zero."""
    if score is None:
        return summary, np.zeros(len(annotations))
    energies = np.exp([score(decoder["attention"]["score"], query, h) for h in annotations])
    weights = energies / energies.sum()
    return sum(weight * h for weight, h in zip(weights, annotations, strict=True)), weights


def initial_hidden(decoder, summary):
    layers = decoder["stack"]["initial"].values()
    return [
        np.tanh(affine(layer, summary) if "kernel" in layer else layer["bias"]) for layer in layers
    ]


def decoder_cells(decoder, second_input=None):
    """Returns the stacked cells; the lowest one reads [E y; second] where there is a second."""
    cells = list(decoder["stack"]["cells"].values())
    if second_input is not None:
        first, *others = cells[0].get("cells", {0: cells[0]}).values()
        kernel = np.vstack([first["input"]["kernel"], second_input["kernel"]])
        first = first | {"input": first["input"] | {"kernel": kernel}}
        cells[0] = {"cells": dict(enumerate([first, *others]))}
    return cells


def advance(cells, hidden, x, between, recurrent, residual):
    """Returns the new state of each layer; the factors of dropout are under layers and in them."""
    new = []
    recurrent = recurrent or [1] * len(cells)
    for cell, s, below, dropped in zip(cells, hidden, [1, *between], recurrent, strict=True):
        new.append(deep_step(cell, s, x * below, dropped))
        x = top(new, residual)
    return new


def top(hidden, residual):
    """Returns the output of the highest of some layers."""
    return sum(hidden) if residual else hidden[-1]


def bahdanau(
    decoder,
    embedded,
    annotations,
    summary,
    *,
    score,
    between=(),
    recurrent=(),
    dropped=1,
    residual=False,
):
    """Returns the readout and the weights of each target position (Bahdanau et al. 2015)."""
    cells = decoder_cells(decoder, decoder["context"])
    hidden = initial_hidden(decoder, summary)
    readouts, weights = [], []
    for y in embedded:
        context, row = attend(decoder, score, top(hidden, residual), annotations, summary)
        x = np.concatenate([y, context])
        hidden = advance(cells, hidden, x, between, recurrent, residual)
        t = affine(decoder["maxout"], np.concatenate([top(hidden, residual), context, y]))
        half = len(t) // 2
        readouts.append([max(t[i], t[half + i]) for i in range(half)] * np.array(dropped))
        weights.append(row)
    return np.array(readouts), np.array(weights)


def luong(
    decoder,
    embedded,
    annotations,
    summary,
    *,
    score,
    between=(),
    recurrent=(),
    dropped=1,
    residual=False,
):
    """Returns the attentional vector and the weights of each position (Luong et al. 2015)."""
    fed = decoder.get("input_feed")
    cells = decoder_cells(decoder, fed)
    hidden = initial_hidden(decoder, summary)
    attentional = np.zeros(decoder["combine"]["kernel"].shape[1])
    readouts, weights = [], []
    for y in embedded:
        x = y if fed is None else np.concatenate([y, attentional])
        hidden = advance(cells, hidden, x, between, recurrent, residual)
        query = top(hidden, residual)
        context, row = attend(decoder, score, query, annotations, summary)
        combined = affine(decoder["combine"], np.concatenate([context, query]))
        attentional = np.tanh(combined) * dropped
        readouts.append(attentional)
        weights.append(row)
    return np.array(readouts), np.array(weights)


def second_cells(decoder):
    """Returns the cells of the bottom layer that follow attention."""
    second = decoder["second"]
    return list(second["cells"].values()) if "cells" in second else [second]


def conditional(
    decoder,
    embedded,
    annotations,
    summary,
    *,
    score,
    between=(),
    recurrent=(),
    dropped=1,
    residual=False,
):
    """Returns the readout and the weights of each target position (Sennrich et al. 2017)."""
    first, *upper = decoder_cells(decoder)
    hidden = initial_hidden(decoder, summary)
    recurrent = recurrent or [1] * len(hidden)
    readouts, weights = [], []
    for y in embedded:
        s = gru_step(first, hidden[0], y, recurrent[0])
        context, row = attend(decoder, score, s, annotations, summary)
        second, *further = second_cells(decoder)
        s = gru_step(second, s, context, recurrent[0])
        for cell in further:
            s = gru_step(cell, s, np.zeros(0), recurrent[0])
        new = [s]
        for layer, cell in enumerate(upper, start=1):
            x = top(new, residual) * between[layer - 1]
            new.append(deep_step(cell, hidden[layer], x, recurrent[layer]))
        hidden = new
        features = np.concatenate([top(hidden, residual), context, y])
        t = np.tanh(affine(decoder["deep_output"], features))
        readouts.append(t * dropped)
        weights.append(row)
    return np.array(readouts), np.array(weights)


def xu(
    decoder,
    embedded,
    annotations,
    summary,
    *,
    score,
    between=(),
    recurrent=(),
    dropped=1,
    residual=False,
):
    """Returns the readout and the weights of each target position (Xu et al. 2015)."""
    cells = decoder_cells(decoder, decoder["context"])
    hidden = initial_hidden(decoder, sum(annotations) / len(annotations))
    readouts, weights = [], []
    for y in embedded:
        context, row = attend(decoder, score, top(hidden, residual), annotations, summary)
        if decoder.get("gate"):
            context = sigmoid(affine(decoder["gate"], top(hidden, residual))) * context
        x = np.concatenate([y, context])
        hidden = advance(cells, hidden, x, between, recurrent, residual)
        deep = affine(decoder["from_hidden"], top(hidden, residual))
        readouts.append((y + deep + affine(decoder["from_context"], context)) * dropped)
        weights.append(row)
    return np.array(readouts), np.array(weights)


def lexical(model, words, weights):
    """Returns what is added to the logits of each position (Nguyen and Chiang 2018, 4)."""
    added = []
    for row in weights:
        attended = np.tanh(sum(weight * word for weight, word in zip(row, words, strict=True)))
        hidden = np.tanh(affine(model["hidden"], attended)) + attended
        added.append(model["output"]["embedding"] @ hidden)
    return np.array(added)
