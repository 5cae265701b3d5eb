"""Floating-point operations per token of the model's matrix products.

The terms follow the equations in `nmt.model` and `nmt.attention`. A product of a vector with an
(n, m) matrix is n m multiplications and as many additions. Nothing else is counted: gates, tanh,
softmax, dropout, the optimizer and the lookup of embeddings are no matrix products.

Assumptions: source and target have the same length, the encoder is bidirectional or alternating,
the score is additive, and Luong's decoder has input feeding.
"""

from nmt.config import (
    AlternatingConfig,
    BahdanauDecoderConfig,
    ConditionalDecoderConfig,
    LayeredConfig,
    LuongDecoderConfig,
    ModelConfig,
    RecurrentEncoderConfig,
    ScoredConfig,
    XuDecoderConfig,
)


def training_flops(model: ModelConfig, *, vocabulary: int, length: int) -> float:
    """Returns the operations of training per target token, with one source token.

    The backward pass counts twice the forward pass; recomputed values do not count.
    """
    return 3 * (_encoding_flops(model, length) + _decoder_flops(model, vocabulary, length))


def decoding_flops(model: ModelConfig, *, vocabulary: int, length: int, beam: int) -> float:
    """Returns the operations per translated token; the source is encoded once for the beam."""
    return _encoding_flops(model, length) + beam * _decoder_flops(model, vocabulary, length)


def _encoding_flops(model: ModelConfig, length: int) -> float:
    """Returns the operations per source token: all cells, U h_j, and W_s h once per sentence.

    A learned first state has no W_s h. The keys of a guided head count as U h_j does.
    """
    encoder, annotation = model.encoder, model.annotation_size
    assert isinstance(encoder, RecurrentEncoderConfig)  # that of a text
    below = encoder.hidden_size if isinstance(encoder, AlternatingConfig) else annotation
    keys = annotation * _score_size(model)
    initial = annotation * model.decoder.hidden_size * model.decoder.layers / length
    if model.decoder.initial_state == "learned":
        initial = 0.0
    head = (annotation + model.embedding_size) * _head_size(model)
    return 2.0 * (2 * _layers(model, encoder, below=below) + keys + head + initial)


def _decoder_flops(model: ModelConfig, vocabulary: int, length: int) -> float:
    """Returns the operations of a decoder step: its equations, term by term, and the logits."""
    embed, annotation, readout = model.embedding_size, model.annotation_size, model.readout_size
    state, score = model.decoder.hidden_size, _score_size(model)
    matrices = model.cell.matrices
    layers = _layers(model, model.decoder, below=state)
    attention = state * score + length * (score + annotation)  # W s; then energies and context
    match model.decoder:
        case LuongDecoderConfig():
            feed = matrices * readout * state
            into_readout = (annotation + state) * readout
        case BahdanauDecoderConfig():
            feed = matrices * annotation * state  # the context enters the cell
            into_readout = (state + annotation + embed) * 2 * readout  # pairs, for maxout
        case ConditionalDecoderConfig(transitions=transitions):
            others = transitions - 1  # of which the first reads the context
            feed = matrices * (annotation + others * state) * state
            into_readout = (state + annotation + embed) * readout
        case XuDecoderConfig(gate=gate):
            feed = matrices * annotation * state + gate * state
            into_readout = (state + annotation) * readout
    words = length * embed + embed * embed + embed * vocabulary if model.lexical_model else 0
    head = (state + embed + length) * _head_size(model)  # a query, and its products with the keys
    return 2.0 * (layers + feed + attention + into_readout + readout * vocabulary + words + head)


def _layers(model: ModelConfig, part: LayeredConfig, *, below: int) -> int:
    """Returns the multiplications of a step of all layers, the upper ones of which read `below`.

    Each layer has matrices for its input, and each of its cells has matrices for the state.
    """
    inputs = [model.embedding_size] + [below] * (part.layers - 1)
    read = sum(
        size + depth * part.hidden_size for size, depth in zip(inputs, part.depths, strict=True)
    )
    return model.cell.matrices * read * part.hidden_size


def _head_size(model: ModelConfig) -> int:
    """Returns the size of the vectors that a guided head compares; 0 without one."""
    return 0 if model.guided_head is None else model.guided_head.size


def _score_size(model: ModelConfig) -> int:
    """Returns the size of W s + U h_j, the hidden layer of the additive score."""
    attention = model.attention
    options = attention.score_options if isinstance(attention, ScoredConfig) else {}
    size = options.get("hidden_size")
    return size if isinstance(size, int) else model.decoder.hidden_size
