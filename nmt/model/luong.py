"""The decoder of Luong et al. (2015): it moves, then attends."""

from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from nmt.attention.interface import Attention, AttentionOutput, EncodedSource
from nmt.config import LuongDecoderConfig, ModelConfig
from nmt.model import decoder
from nmt.model.decoder import DecoderState, DropoutMasks
from nmt.recurrent import scan as loop
from nmt.types import Readouts, StepGates, TargetEmbeddings


class LuongDecoder(nnx.Module):
    """The decoder of Luong et al. (2015), section 3.

    h_t = cell([E y_{t-1}; h~_{t-1}], h_{t-1})      the fed vector h~ only with input feeding
    c_t = attention(h_t)                            the query is the state of this step
    h~_t = tanh(W_c [c_t; h_t])                     eq. 5, the attentional vector: the readout
    """

    def __init__(self, config: LuongDecoderConfig, model: ModelConfig, *, rngs: nnx.Rngs) -> None:
        hidden, annotation = config.hidden_size, model.annotation_size
        self.stack = decoder.build_stack(model, rngs=rngs)
        self.attention: Attention = model.attention.build(hidden, annotation, rngs=rngs)
        self.readout_size = model.readout_size
        self.combine = nnx.Linear(annotation + hidden, self.readout_size, use_bias=False, rngs=rngs)
        self.input_feed = (
            nnx.Linear(self.readout_size, self.stack.gates, use_bias=False, rngs=rngs)
            if config.input_feeding
            else None
        )

    def initial_state(self, encoded: EncodedSource) -> DecoderState:
        """Returns the state that the summary of the source gives; the fed vector is zeros."""
        batch, width = len(encoded.summary), 0 if self.input_feed is None else self.readout_size
        return DecoderState(
            stack=self.stack.start(encoded.summary),
            input_feed=jnp.zeros((batch, width), encoded.summary.dtype),
            attention=self.attention.initial_state(encoded),
        )

    def project(self, embedded: TargetEmbeddings) -> Float[Array, "batch tgt gates"]:
        """Returns W E y_{t-1} of all gates."""
        return self.stack.project(embedded)

    def step(
        self, state: DecoderState, projected: StepGates, encoded: EncodedSource, masks: DropoutMasks
    ) -> tuple[DecoderState, Any, AttentionOutput]:
        """Moves the state, then attends with it."""
        if self.input_feed is not None:
            projected = projected + self.input_feed(state.input_feed)
        moved = self.stack.step(state.stack, projected, masks.stack)
        hidden = self.stack.output(moved)
        attention, (attentional, attended) = self.attend(state.attention, hidden, encoded, masks)
        fed = state.input_feed if self.input_feed is None else attentional
        state = DecoderState(stack=moved, input_feed=fed, attention=attention)
        return state, attentional, attended

    def attend(
        self,
        state: Any,
        hidden: Float[Array, "batch hidden"],
        encoded: EncodedSource,
        masks: DropoutMasks,
    ) -> tuple[Any, tuple[Float[Array, "batch readout"], AttentionOutput]]:
        """Returns the mechanism's next state, the vector h~_t with dropout, and the weights."""
        context, attended, state = self.attention(hidden, encoded, state)
        attentional = jnp.tanh(self.combine(jnp.concatenate([context, hidden], axis=-1)))
        return state, (attentional * masks.readout, attended)

    def readout(self, features: Any, embedded: TargetEmbeddings, masks: DropoutMasks) -> Readouts:
        """Returns the attentional vectors: they are the readout."""
        return features

    def teacher_forced(
        self, embedded: TargetEmbeddings, encoded: EncodedSource, masks: DropoutMasks
    ) -> tuple[Readouts, AttentionOutput]:
        """Returns readouts and weights at all positions, given the true previous tokens."""
        if self.input_feed is None:
            return self.attend_afterwards(embedded, encoded, masks)
        return decoder.scan(self, embedded, encoded, masks)

    def attend_afterwards(
        self, embedded: TargetEmbeddings, encoded: EncodedSource, masks: DropoutMasks
    ) -> tuple[Readouts, AttentionOutput]:
        """Without input feeding no state waits for attention, so it comes after the stack.

        All positions attend at once, unless the mechanism carries something from one to the next.
        """
        initial = self.initial_state(encoded)
        hidden = self.stack.run(embedded, initial.stack, masks.stack)

        def attend(state: Any, hidden: Float[Array, "batch hidden"]) -> Any:
            return self.attend(state, hidden, encoded, masks)

        if jax.tree.leaves(initial.attention):
            _, found = loop.scan(attend, initial.attention, hidden.swapaxes(0, 1))
            return jax.tree.map(lambda times: times.swapaxes(0, 1), found)
        _, found = jax.vmap(attend, in_axes=(None, 1), out_axes=1)(initial.attention, hidden)
        return found
