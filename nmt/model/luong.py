"""The decoder of Luong et al. (2015): it moves, then attends."""

from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from nmt.attention.mechanisms import Memory, build_attention
from nmt.config import ModelConfig
from nmt.model import decoder
from nmt.model.decoder import DecoderState, Masks


class LuongDecoder(nnx.Module):
    """The decoder of Luong et al. (2015), section 3.

    h_t = GRU([E y_{t-1}; h~_{t-1}], h_{t-1})       the fed vector h~ only with input feeding
    c_t = attention(h_t)                            the query is the state of this step
    h~_t = tanh(W_c [c_t; h_t])                     eq. 5, the attentional vector: the readout
    """

    def __init__(self, config: ModelConfig, *, rngs: nnx.Rngs) -> None:
        hidden, annotation = config.decoder.hidden_size, config.annotation_size
        self.initial = decoder.initial_layers(config, rngs=rngs)
        self.layers = decoder.stack(config.embedding_size, config, rngs=rngs)
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
        hidden = decoder.initial_states(self.initial, memory)
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
        hidden = decoder.advance(self.layers, state.hidden, projected, masks)
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
        self, embedded: Float[Array, "batch tgt embed"], memory: Memory, masks: Masks
    ) -> tuple[Float[Array, "batch tgt readout"], Float[Array, "batch tgt src"]]:
        """Returns readouts and weights at all positions, given the true previous tokens."""
        if self.feed is None:
            return self.attend_at_once(embedded, memory, masks)
        return decoder.scan(self, embedded, memory, masks)

    def attend_at_once(
        self, embedded: Float[Array, "batch tgt embed"], memory: Memory, masks: Masks
    ) -> tuple[Float[Array, "batch tgt readout"], Float[Array, "batch tgt src"]]:
        """Without input feeding no state waits for attention, so it runs after the GRUs."""
        initial = self.initial_state(memory).hidden
        states = self.layers[0].run(embedded, initial[0])
        for layer, start, between in zip(self.layers[1:], initial[1:], masks.between, strict=True):
            states = layer.run(states * between[:, None, :], start)
        attend = jax.vmap(self.attend, in_axes=(1, None, None), out_axes=1)
        return attend(states, memory, masks)
