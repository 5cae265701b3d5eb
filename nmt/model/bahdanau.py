"""The decoder of Bahdanau et al. (2015): it attends, then moves."""

from dataclasses import replace
from typing import Any

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from nmt.attention.interface import Attended, Memory
from nmt.attention.mechanisms import build_attention
from nmt.config import ModelConfig
from nmt.model import decoder
from nmt.model.decoder import DecoderState, Masks


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
        self.initial = decoder.initial_layers(config, rngs=rngs)
        self.layers = decoder.stack(config.embedding_size, config, rngs=rngs)
        self.attention = build_attention(config.attention, hidden, annotation, rngs=rngs)
        self.context = nnx.Linear(annotation, 3 * hidden, use_bias=False, rngs=rngs)
        self.readout_size = config.readout_size
        features = hidden + annotation + config.embedding_size
        self.maxout = nnx.Linear(features, 2 * config.readout_size, rngs=rngs)

    def initial_state(self, memory: Memory) -> DecoderState:
        """Returns tanh(W_s h) of the encoder's final states, for each layer."""
        hidden = decoder.initial_states(self.initial, memory)
        return DecoderState(
            hidden=hidden,
            feed=memory.summary[:, :0],
            attention=self.attention.initial_state(memory),
        )

    def project(self, embedded: Float[Array, "batch tgt embed"]) -> Float[Array, "batch tgt gates"]:
        """Returns W E y_{t-1} of all gates."""
        return self.layers[0].project(embedded)

    def step(
        self,
        state: DecoderState,
        projected: Float[Array, "batch gates"],
        memory: Memory,
        masks: Masks,
    ) -> tuple[DecoderState, Any, Attended]:
        """Attends with the state as it is, then moves it."""
        context, attended, attention = self.attention(state.hidden[-1], memory, state.attention)
        projected = projected + self.context(context)
        hidden = decoder.advance(self.layers, state.hidden, projected, masks)
        state = replace(state, hidden=hidden, attention=attention)
        return state, (hidden[-1], context), attended

    def readout(
        self, features: Any, embedded: Float[Array, "batch tgt embed"], masks: Masks
    ) -> Float[Array, "batch tgt readout"]:
        """Returns the maxout layer (Goodfellow et al. 2013): the larger one of each pair."""
        hidden, context = features
        pairs = self.maxout(jnp.concatenate([hidden, context, embedded], axis=-1))
        largest = jnp.maximum(*jnp.split(pairs, 2, axis=-1))
        return largest * masks.readout[:, None, :]

    def teacher_forced(
        self, embedded: Float[Array, "batch tgt embed"], memory: Memory, masks: Masks
    ) -> tuple[Float[Array, "batch tgt readout"], Attended]:
        """Returns readouts and weights at all positions, given the true previous tokens."""
        return decoder.scan(self, embedded, memory, masks)
