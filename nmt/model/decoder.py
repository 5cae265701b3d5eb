"""The base class of decoders.

A decoder has three parts. `project` is the contribution of the input tokens to the gates, for all
positions at once; `step` depends on the state; `readout` computes the layer under the logits from
the results of the steps, again for all positions at once. `teacher_forced` runs the three over
given tokens, and search calls them for one position at a time.
"""

from abc import abstractmethod
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx, struct
from jaxtyping import Array, Float

from nmt.attention.interface import Attention, AttentionOutput, EncodedSource
from nmt.config import DropoutConfig, ModelConfig
from nmt.recurrent import dropout
from nmt.recurrent.scan import scan
from nmt.recurrent.stack import Stack, StackMasks, States
from nmt.types import Readouts, RowKeys, StepGates, TargetEmbeddings


@struct.dataclass
class DecoderState:
    """The state between two steps; every leaf leads with the axis batch, in search with beam."""

    stack: States
    input_feed: Float[Array, "batch *beam feed"]  # the attentional vector; empty if it is not fed
    attention: Any  # the state of the attention mechanism


@struct.dataclass
class DropoutMasks:
    """Dropout of one sentence, the same at each step; ones where nothing is dropped."""

    stack: StackMasks
    readout: Float[Array, "#batch #readout"]


class Decoder(nnx.Module):
    """The base of attentional decoders: layers, attention and the loop over target positions.

    A decoder is built as `Class(config, model, rngs=...)`, `config` being its own section of the
    configuration, and `model` that of the whole model.
    """

    def __init__(self, model: ModelConfig, *, rngs: nnx.Rngs) -> None:
        hidden, annotation = model.decoder.hidden_size, model.annotation_size
        self.stack = Stack(
            model.cell,
            model.embedding_size,
            hidden,
            depths=model.decoder.depths,
            residual=model.decoder.residual,
            summary_size=annotation if model.decoder.initial_state == "summary" else None,
            rngs=rngs,
        )
        self.attention: Attention = model.attention.build(hidden, annotation, rngs=rngs)
        self.readout_size = model.readout_size

    def initial_state(self, encoded: EncodedSource) -> DecoderState:
        """Returns s_0, made from the summary of the source or learned, without input feeding."""
        return DecoderState(
            stack=self.stack.start(encoded.summary),
            input_feed=encoded.summary[:, :0],
            attention=self.attention.initial_state(encoded),
        )

    def project(self, embedded: TargetEmbeddings) -> Float[Array, "batch tgt gates"]:
        """Returns W E y_{t-1}, the contribution of the previous tokens to all gates."""
        return self.stack.project(embedded)

    @abstractmethod
    def step(
        self, state: DecoderState, projected: StepGates, encoded: EncodedSource, masks: DropoutMasks
    ) -> tuple[DecoderState, Any, AttentionOutput]:
        """Returns the next state, the features that `readout` needs, and the attention."""

    @abstractmethod
    def readout(self, features: Any, embedded: TargetEmbeddings, masks: DropoutMasks) -> Readouts:
        """Returns the layer under the logits."""

    def teacher_forced(
        self, embedded: TargetEmbeddings, encoded: EncodedSource, masks: DropoutMasks
    ) -> tuple[Readouts, AttentionOutput]:
        """Returns readouts and weights at all positions, given the true previous tokens."""

        def step(state: DecoderState, projected: StepGates) -> tuple[DecoderState, Any]:
            state, features, attended = self.step(state, projected, encoded, masks)
            return state, (features, followed(attended, self.stack.output(state.stack), encoded))

        projected = self.project(embedded.swapaxes(0, 1))
        _, collected = scan(step, self.initial_state(encoded), projected)
        features, attended = jax.tree.map(lambda times: times.swapaxes(0, 1), collected)
        return self.readout(features, embedded, masks), attended


def followed(
    attended: AttentionOutput, hidden: Float[Array, "*places hidden"], encoded: EncodedSource
) -> AttentionOutput:
    """Returns the attention with the states after the steps, if a guided head will read them."""
    return attended if encoded.guided_keys is None else replace(attended, hidden=hidden)


def dropout_masks(
    decoder: Decoder, rates: DropoutConfig, dtype: jnp.dtype, *, keys: RowKeys = None
) -> DropoutMasks:
    """Samples each sentence's dropout masks; without keys they drop nothing."""
    readout, *stack = dropout.split(keys, 2 * len(decoder.stack.cells))
    return DropoutMasks(
        stack=decoder.stack.dropout_masks(stack, rates, dtype),
        readout=dropout.mask(readout, rates.at("readout"), decoder.readout_size, dtype),
    )
