"""The decoder of Luong et al. (2015): it moves, then attends."""

from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from nmt.attention.interface import Attended, Memory
from nmt.attention.mechanisms import build_attention
from nmt.config import ModelConfig
from nmt.model import decoder
from nmt.model import scan as loop
from nmt.model.decoder import DecoderState, Masks


class LuongDecoder(nnx.Module):
    """The decoder of Luong et al. (2015), section 3.

    h_t = GRU([E y_{t-1}; h~_{t-1}], h_{t-1})       the fed vector h~ only with input feeding
    c_t = attention(h_t)                            the query is the state of this step
    h~_t = tanh(W_c [c_t; h_t])                     eq. 5, the attentional vector: the readout
    """

    def __init__(self, config: ModelConfig, *, input_feeding: bool, rngs: nnx.Rngs) -> None:
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
            if input_feeding
            else None
        )

    def initial_state(self, memory: Memory) -> DecoderState:
        """Returns tanh(W_s h) for each layer; the fed vector starts as zeros."""
        hidden = decoder.initial_states(self.initial, memory)
        width = 0 if self.feed is None else self.readout_size
        feed = jnp.zeros((hidden[0].shape[0], width), hidden[0].dtype)
        return DecoderState(
            hidden=hidden, feed=feed, attention=self.attention.initial_state(memory)
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
        """Moves the state, then attends with it."""
        if self.feed is not None:
            projected = projected + self.feed(state.feed)
        hidden = decoder.advance(self.layers, state.hidden, projected, masks)
        attention, (attentional, attended) = self.attend(state.attention, hidden[-1], memory, masks)
        feed = state.feed if self.feed is None else attentional
        state = DecoderState(hidden=hidden, feed=feed, attention=attention)
        return state, attentional, attended

    def attend(
        self, state: Any, hidden: Float[Array, "batch hidden"], memory: Memory, masks: Masks
    ) -> tuple[Any, tuple[Float[Array, "batch readout"], Attended]]:
        """Returns the mechanism's next state, the vector h~_t with dropout, and the weights."""
        context, attended, state = self.attention(hidden, memory, state)
        attentional = jnp.tanh(self.combine(jnp.concatenate([context, hidden], axis=-1)))
        return state, (attentional * masks.readout, attended)

    def readout(
        self, features: Any, embedded: Float[Array, "batch tgt embed"], masks: Masks
    ) -> Float[Array, "batch tgt readout"]:
        """Returns the attentional vectors: they are the readout."""
        return features

    def teacher_forced(
        self, embedded: Float[Array, "batch tgt embed"], memory: Memory, masks: Masks
    ) -> tuple[Float[Array, "batch tgt readout"], Attended]:
        """Returns readouts and weights at all positions, given the true previous tokens."""
        if self.feed is None:
            return self.attend_afterwards(embedded, memory, masks)
        return decoder.scan(self, embedded, memory, masks)

    def attend_afterwards(
        self, embedded: Float[Array, "batch tgt embed"], memory: Memory, masks: Masks
    ) -> tuple[Float[Array, "batch tgt readout"], Attended]:
        """Without input feeding no state waits for attention, so it comes after the GRUs.

        All positions attend at once, unless the mechanism carries something from one to the next.
        """
        initial = self.initial_state(memory)
        states = self.layers[0].run(embedded, initial.hidden[0])
        uppers = zip(self.layers[1:], initial.hidden[1:], masks.between, strict=True)
        for layer, start, between in uppers:
            states = layer.run(states * between[:, None, :], start)

        def attend(state: Any, hidden: Float[Array, "batch hidden"]) -> Any:
            return self.attend(state, hidden, memory, masks)

        if jax.tree.leaves(initial.attention):
            _, found = loop.scan(attend, initial.attention, states.swapaxes(0, 1))
            return jax.tree.map(lambda times: times.swapaxes(0, 1), found)
        _, found = jax.vmap(attend, in_axes=(None, 1), out_axes=1)(initial.attention, states)
        return found
