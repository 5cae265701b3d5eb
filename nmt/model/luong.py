"""The decoder of Luong et al. (2015): it updates its state, then attends."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from nmt.attention.interface import AttentionOutput, EncodedSource
from nmt.config import LuongDecoderConfig, ModelConfig
from nmt.model.decoder import Decoder, DecoderState, DropoutMasks, followed
from nmt.recurrent.scan import scan
from nmt.types import Readouts, StepGates, TargetEmbeddings


class LuongDecoder(Decoder):
    """The decoder of Luong et al. (2015), section 3.

    h_t = cell([E y_{t-1}; h~_{t-1}], h_{t-1})      the fed vector h~ only with input feeding
    c_t = attention(h_t)                            the query is the state of this step
    h~_t = tanh(W_c [c_t; h_t])                     eq. 5, the attentional vector: the readout
    """

    def __init__(self, config: LuongDecoderConfig, model: ModelConfig, *, rngs: nnx.Rngs) -> None:
        super().__init__(model, rngs=rngs)
        features = model.annotation_size + config.hidden_size
        self.combine = nnx.Linear(features, self.readout_size, use_bias=False, rngs=rngs)
        self.input_feed = (
            nnx.Linear(self.readout_size, self.stack.gates, use_bias=False, rngs=rngs)
            if config.input_feeding
            else None
        )

    def initial_state(self, encoded: EncodedSource) -> DecoderState:
        """Returns the first state of the layers; the fed vector is zeros."""
        state = super().initial_state(encoded)
        if self.input_feed is None:
            return state
        zeros = jnp.zeros((len(encoded.summary), self.readout_size), encoded.summary.dtype)
        return replace(state, input_feed=zeros)

    def step(
        self, state: DecoderState, projected: StepGates, encoded: EncodedSource, masks: DropoutMasks
    ) -> tuple[DecoderState, Any, AttentionOutput]:
        """Updates the state, then attends with it."""
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
        return super().teacher_forced(embedded, encoded, masks)

    def attend_afterwards(
        self, embedded: TargetEmbeddings, encoded: EncodedSource, masks: DropoutMasks
    ) -> tuple[Readouts, AttentionOutput]:
        """Runs all layers first: without input feeding no state depends on attention.

        Positions attend one after the other: the (batch, src, key) values of an additive score at
        all of them at once would fill the memory, and on a CPU take longer.
        """
        initial = self.initial_state(encoded)
        hidden = self.stack.run(embedded, initial.stack, masks.stack)

        def attend(state: Any, hidden: Float[Array, "batch hidden"]) -> Any:
            return self.attend(state, hidden, encoded, masks)

        _, collected = scan(attend, initial.attention, hidden.swapaxes(0, 1))
        readouts, attended = jax.tree.map(lambda times: times.swapaxes(0, 1), collected)
        return readouts, followed(attended, hidden, encoded)
