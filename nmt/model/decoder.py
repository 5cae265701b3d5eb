"""The attentional decoder: one step, which training scans and search loops over.

Both decoders have the same three parts. `project` is what an input token contributes, for all
positions at once; `step` is what must wait for the state; `readout` turns what the steps left
into the layer under the logits, again for all positions at once. `teacher_forced` drives them.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
from flax import nnx, struct
from jaxtyping import Array, Float

from nmt.attention.mechanisms import GlobalAttention, Memory, NoAttention, build_attention
from nmt.config import ModelConfig
from nmt.model import dropout
from nmt.model.gru import GRU


@struct.dataclass
class DecoderState:
    """What one step hands to the next; every leaf leads with the batch."""

    hidden: tuple[Float[Array, "batch hidden"], ...]  # one a layer, the top one last
    feed: Float[Array, "batch feed"]  # the attentional vector, empty where it is not fed


@struct.dataclass
class Masks:
    """Dropout of one sentence, the same at each step; ones where nothing is dropped."""

    between: tuple[Float[Array, "#batch #hidden"], ...]  # under each upper layer
    readout: Float[Array, "#batch #readout"]


@runtime_checkable
class Decoder(Protocol):
    """What the sequence model asks of a decoder."""

    layers: Sequence[GRU]
    attention: GlobalAttention | NoAttention
    readout_size: int

    def initial_state(self, memory: Memory) -> DecoderState:
        """Returns s_0."""
        ...

    def project(self, embedded: Float[Array, "batch tgt embed"]) -> Float[Array, "batch tgt gates"]:
        """Returns what the embeddings of the previous tokens add to the gates."""
        ...

    def step(
        self,
        state: DecoderState,
        projected: Float[Array, "batch gates"],
        memory: Memory,
        masks: Masks,
    ) -> tuple[DecoderState, Any, Float[Array, "batch src"]]:
        """Returns the next state, what `readout` needs, and the attention weights."""
        ...

    def readout(
        self, features: Any, embedded: Float[Array, "batch tgt embed"], masks: Masks
    ) -> Float[Array, "batch tgt readout"]:
        """Returns the layer under the logits."""
        ...


class BahdanauDecoder(nnx.Module):
    """The decoder of Bahdanau et al. (2015), appendix A.1.2 and A.2.2.

        c_t = attention(s_{t-1})                        the query is the state before this step
        s_t = GRU([E y_{t-1}; c_t], s_{t-1})
        readout_t = maxout(U_o s_t + V_o E y_{t-1} + C_o c_t)

    The readout takes s_t as their equation 4 does; appendix A.2.2 prints s_{t-1}. With several
    layers the top one asks, and the context enters the bottom one.
    """

    def __init__(self, config: ModelConfig, *, rngs: nnx.Rngs) -> None:
        hidden, annotation = config.decoder.hidden_size, config.annotation_size
        self.initial = _initial_layers(config, rngs=rngs)
        self.layers = _stack(config.embedding_size, config, rngs=rngs)
        self.attention = build_attention(config.attention, hidden, annotation, rngs=rngs)
        self.context = nnx.Linear(annotation, 3 * hidden, use_bias=False, rngs=rngs)
        self.readout_size = config.readout_size
        features = hidden + annotation + config.embedding_size
        self.maxout = nnx.Linear(features, 2 * config.readout_size, rngs=rngs)

    def initial_state(self, memory: Memory) -> DecoderState:
        """Returns tanh(W_s h) of the encoder's final states, for each layer."""
        return DecoderState(hidden=_initial(self.initial, memory), feed=memory.summary[:, :0])

    def project(self, embedded: Float[Array, "batch tgt embed"]) -> Float[Array, "batch tgt gates"]:
        """Returns W E y_{t-1} of all gates."""
        return self.layers[0].project(embedded)

    def step(
        self,
        state: DecoderState,
        projected: Float[Array, "batch gates"],
        memory: Memory,
        masks: Masks,
    ) -> tuple[DecoderState, Any, Float[Array, "batch src"]]:
        """Attends with the state as it is, then moves it."""
        context, weights = self.attention(state.hidden[-1], memory)
        projected = projected + self.context(context)
        hidden = _advance(self.layers, state.hidden, projected, masks)
        return replace(state, hidden=hidden), (hidden[-1], context), weights

    def readout(
        self, features: Any, embedded: Float[Array, "batch tgt embed"], masks: Masks
    ) -> Float[Array, "batch tgt readout"]:
        """Returns the maxout layer (Goodfellow et al. 2013): the larger one of each pair."""
        hidden, context = features
        pairs = self.maxout(jnp.concatenate([hidden, context, embedded], axis=-1))
        largest = jnp.maximum(*jnp.split(pairs, 2, axis=-1))
        return largest * masks.readout[:, None, :]


class LuongDecoder(nnx.Module):
    """The decoder of Luong et al. (2015), section 3.

    h_t = GRU([E y_{t-1}; h~_{t-1}], h_{t-1})       the fed vector h~ only with input feeding
    c_t = attention(h_t)                            the query is the state of this step
    h~_t = tanh(W_c [c_t; h_t])                     eq. 5, the attentional vector: the readout
    """

    def __init__(self, config: ModelConfig, *, rngs: nnx.Rngs) -> None:
        hidden, annotation = config.decoder.hidden_size, config.annotation_size
        self.initial = _initial_layers(config, rngs=rngs)
        self.layers = _stack(config.embedding_size, config, rngs=rngs)
        self.attention = build_attention(config.attention, hidden, annotation, rngs=rngs)
        self.readout_size = config.readout_size
        self.combine = nnx.Linear(
            annotation + hidden, config.readout_size, use_bias=False, rngs=rngs
        )
        self.feed = (
            nnx.Linear(config.readout_size, 3 * hidden, use_bias=False, rngs=rngs)
            if config.decoder.input_feeding
            else None
        )

    def initial_state(self, memory: Memory) -> DecoderState:
        """Returns tanh(W_s h) for each layer; the fed vector starts as zeros."""
        hidden = _initial(self.initial, memory)
        width = 0 if self.feed is None else self.readout_size
        feed = jnp.zeros((hidden[0].shape[0], width), hidden[0].dtype)
        return DecoderState(hidden=hidden, feed=feed)

    def project(self, embedded: Float[Array, "batch tgt embed"]) -> Float[Array, "batch tgt gates"]:
        """Returns W E y_{t-1} of all gates."""
        return self.layers[0].project(embedded)

    def step(
        self,
        state: DecoderState,
        projected: Float[Array, "batch gates"],
        memory: Memory,
        masks: Masks,
    ) -> tuple[DecoderState, Any, Float[Array, "batch src"]]:
        """Moves the state, then attends with it."""
        if self.feed is not None:
            projected = projected + self.feed(state.feed)
        hidden = _advance(self.layers, state.hidden, projected, masks)
        attentional, weights = self.attend(hidden[-1], memory, masks)
        feed = state.feed if self.feed is None else attentional
        return DecoderState(hidden=hidden, feed=feed), attentional, weights

    def attend(
        self, hidden: Float[Array, "batch hidden"], memory: Memory, masks: Masks
    ) -> tuple[Float[Array, "batch readout"], Float[Array, "batch src"]]:
        """Returns the attentional vector h~_t, with dropout, and the weights."""
        context, weights = self.attention(hidden, memory)
        attentional = jnp.tanh(self.combine(jnp.concatenate([context, hidden], axis=-1)))
        return attentional * masks.readout, weights

    def readout(
        self, features: Any, embedded: Float[Array, "batch tgt embed"], masks: Masks
    ) -> Float[Array, "batch tgt readout"]:
        """Returns the attentional vectors: they are the readout."""
        return features


def teacher_forced(
    decoder: Decoder,
    embedded: Float[Array, "batch tgt embed"],
    memory: Memory,
    masks: Masks,
) -> tuple[Float[Array, "batch tgt readout"], Float[Array, "batch tgt src"]]:
    """Scans the decoder's step over given previous tokens; returns readouts and weights."""
    if isinstance(decoder, LuongDecoder) and decoder.feed is None:
        return _attend_at_once(decoder, embedded, memory, masks)

    def step(
        state: DecoderState, projected: Float[Array, "batch gates"]
    ) -> tuple[DecoderState, tuple[Any, Float[Array, "batch src"]]]:
        state, features, weights = decoder.step(state, projected, memory, masks)
        return state, (features, weights)

    projected = decoder.project(embedded).swapaxes(0, 1)
    _, collected = jax.lax.scan(step, decoder.initial_state(memory), projected)
    features, weights = jax.tree.map(lambda times: times.swapaxes(0, 1), collected)
    return decoder.readout(features, embedded, masks), weights


def _attend_at_once(
    decoder: LuongDecoder,
    embedded: Float[Array, "batch tgt embed"],
    memory: Memory,
    masks: Masks,
) -> tuple[Float[Array, "batch tgt readout"], Float[Array, "batch tgt src"]]:
    """Luong without input feeding: no state waits for attention, so it runs after the GRUs."""
    initial = decoder.initial_state(memory).hidden
    states = decoder.layers[0].run(decoder.project(embedded), initial[0])
    for layer, start, between in zip(decoder.layers[1:], initial[1:], masks.between, strict=True):
        states = layer.run(layer.project(states * between[:, None, :]), start)
    attend = jax.vmap(decoder.attend, in_axes=(1, None, None), out_axes=1)
    return attend(states, memory, masks)


def draw_masks(
    decoder: Decoder, rate: float, dtype: jnp.dtype, *, keys: dropout.RowKeys = None
) -> Masks:
    """Draws each sentence's dropout masks; without keys they are ones."""
    sizes = [decoder.readout_size, *(layer.hidden_size for layer in decoder.layers[1:])]
    readout, *between = (
        dropout.mask(part, rate, size, dtype)
        for part, size in zip(dropout.split(keys, len(sizes)), sizes, strict=True)
    )
    return Masks(between=tuple(between), readout=readout)


def build_decoder(config: ModelConfig, *, rngs: nnx.Rngs) -> Decoder:
    """Returns the decoder that the configuration names."""
    match config.decoder.kind:
        case "bahdanau":
            return BahdanauDecoder(config, rngs=rngs)
        case "luong":
            return LuongDecoder(config, rngs=rngs)


def _stack(input_size: int, config: ModelConfig, *, rngs: nnx.Rngs) -> Sequence[GRU]:
    hidden = config.decoder.hidden_size
    sizes = [input_size] + [hidden] * (config.decoder.layers - 1)
    return nnx.List([GRU(size, hidden, rngs=rngs) for size in sizes])


def _initial_layers(config: ModelConfig, *, rngs: nnx.Rngs) -> Sequence[nnx.Linear]:
    size, hidden = config.annotation_size, config.decoder.hidden_size
    return nnx.List([nnx.Linear(size, hidden, rngs=rngs) for _ in range(config.decoder.layers)])


def _initial(
    layers: Sequence[nnx.Linear], memory: Memory
) -> tuple[Float[Array, "batch hidden"], ...]:
    return tuple(jnp.tanh(layer(memory.summary)) for layer in layers)


def _advance(
    layers: Sequence[GRU],
    hidden: tuple[Float[Array, "batch hidden"], ...],
    projected: Float[Array, "batch gates"],
    masks: Masks,
) -> tuple[Float[Array, "batch hidden"], ...]:
    """Moves every layer by one step, each fed by the new state of the one below."""
    new = [layers[0].step(hidden[0], projected)]
    for layer, state, between in zip(layers[1:], hidden[1:], masks.between, strict=True):
        new.append(layer.step(state, layer.project(new[-1] * between)))
    return tuple(new)
