"""The work of the model: how many operations its matrix products take, a token.

The terms are those of the equations in `nmt.model` and `nmt.attention`, and a product of a vector
with an (n, m) matrix is n m multiplications and as many additions. All else is not counted: gates,
tanh, softmax, dropout and the optimizer are no matrix products, and looking up embeddings is none.

Source and target have the same length, encoder and decoder have one layer each, the score is the
additive one, and Luong's decoder feeds its input.
"""

from nmt.config import BahdanauDecoderConfig, LuongDecoderConfig, ModelConfig, ScoredConfig


def training_flops(model: ModelConfig, *, vocabulary: int, length: int) -> float:
    """Returns the operations of training a target token, its source token included.

    The backward pass costs twice the forward pass; what it computes again is not counted.
    """
    return 3 * (_encoding_flops(model, length) + _decoder_flops(model, vocabulary, length))


def decoding_flops(model: ModelConfig, *, vocabulary: int, length: int, beam: int) -> float:
    """Returns the operations of a translated token: the source is encoded once for the beam."""
    return _encoding_flops(model, length) + beam * _decoder_flops(model, vocabulary, length)


def _encoding_flops(model: ModelConfig, length: int) -> float:
    """Returns the operations a source token: both GRUs, U h_j, and W_s h once a sentence."""
    embed, half, annotation = model.embedding_size, model.encoder.hidden_size, model.annotation_size
    state = model.decoder.hidden_size
    gru = 3 * (embed + half) * half
    keys = annotation * _score_size(model)
    initial = annotation * state / length
    return 2.0 * (2 * gru + keys + initial)


def _decoder_flops(model: ModelConfig, vocabulary: int, length: int) -> float:
    """Returns the operations of one step: the decoder's equations, term by term, and the logits."""
    embed, annotation, readout = model.embedding_size, model.annotation_size, model.readout_size
    state, score = model.decoder.hidden_size, _score_size(model)
    gru = 3 * (embed + state) * state
    attention = state * score + length * (score + annotation)  # W s; then energies and context
    match model.decoder:
        case LuongDecoderConfig():
            feed = 3 * readout * state
            into_readout = (annotation + state) * readout
        case BahdanauDecoderConfig():
            feed = 3 * annotation * state  # the context enters the GRU
            into_readout = (state + annotation + embed) * 2 * readout  # pairs, for maxout
    words = length * embed + embed * embed + embed * vocabulary if model.lexical_model else 0
    return 2.0 * (gru + feed + attention + into_readout + readout * vocabulary + words)


def _score_size(model: ModelConfig) -> int:
    """Returns the components of W s + U h_j, of which the energy is taken."""
    attention = model.attention
    options = attention.score_options if isinstance(attention, ScoredConfig) else {}
    size = options.get("hidden_size")
    return size if isinstance(size, int) else model.decoder.hidden_size
