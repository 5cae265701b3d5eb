"""The interface and the common parts of decoders.

A decoder has three parts. `project` is the contribution of the input tokens to the gates, for all
positions at once; `step` is what depends on the state; `readout` computes the layer under the
logits from the results of the steps, again for all positions at once. `scan` runs the three over
given tokens, and search calls them for one step at a time.
"""

from typing import Any, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
from flax import nnx, struct
from jaxtyping import Array, Float

from nmt.attention.interface import Attention, AttentionOutput, EncodedSource
from nmt.config import ModelConfig
from nmt.recurrent import dropout
from nmt.recurrent import scan as loop
from nmt.recurrent.stack import Masks, Stack, States
from nmt.types import Readouts, RowKeys, StepGates, TargetEmbeddings

TargetGates = Float[Array, "batch tgt gates"]


@struct.dataclass
class DecoderState:
    """The state between two steps; every leaf leads with the axis batch, in search with beam."""

    stack: States
    input_feed: Float[Array, "batch *beam feed"]  # the attentional vector; empty if it is not fed
    attention: Any  # the state of the attention mechanism


@struct.dataclass
class DropoutMasks:
    """Dropout of one sentence, the same at each step; ones where nothing is dropped."""

    stack: Masks
    readout: Float[Array, "#batch #readout"]


@runtime_checkable
class Decoder(Protocol):
    """A decoder, as the sequence model uses it.

    It is built as `Class(config, model, rngs=...)`, `config` being its own section of the
    configuration, and `model` that of the whole model.
    """

    stack: Stack
    attention: Attention
    readout_size: int

    def initial_state(self, encoded: EncodedSource) -> DecoderState:
        """Returns s_0."""

    def project(self, embedded: TargetEmbeddings) -> TargetGates:
        """Returns the contribution of the previous tokens' embeddings to the gates."""

    def step(
        self, state: DecoderState, projected: StepGates, encoded: EncodedSource, masks: DropoutMasks
    ) -> tuple[DecoderState, Any, AttentionOutput]:
        """Returns the next state, the features that `readout` needs, and the attention."""

    def readout(self, features: Any, embedded: TargetEmbeddings, masks: DropoutMasks) -> Readouts:
        """Returns the layer under the logits."""

    def teacher_forced(
        self, embedded: TargetEmbeddings, encoded: EncodedSource, masks: DropoutMasks
    ) -> tuple[Readouts, AttentionOutput]:
        """Returns readouts and weights at all positions, given the true previous tokens."""


class AttentionalDecoder(nnx.Module):
    """The parts that the decoders of this package share: layers, attention, and a first state."""

    def __init__(self, model: ModelConfig, *, rngs: nnx.Rngs) -> None:
        hidden, annotation = model.decoder.hidden_size, model.annotation_size
        self.stack = Stack(
            model.cell,
            model.embedding_size,
            hidden,
            layers=model.decoder.layers,
            summary_size=annotation,
            rngs=rngs,
        )
        self.attention: Attention = model.attention.build(hidden, annotation, rngs=rngs)
        self.readout_size = model.readout_size

    def initial_state(self, encoded: EncodedSource) -> DecoderState:
        """Returns the state made from the summary of the source, without input feeding."""
        return DecoderState(
            stack=self.stack.start(encoded.summary),
            input_feed=encoded.summary[:, :0],
            attention=self.attention.initial_state(encoded),
        )

    def project(self, embedded: TargetEmbeddings) -> TargetGates:
        """Returns W E y_{t-1} for all gates."""
        return self.stack.project(embedded)


def scan(
    decoder: Decoder, embedded: TargetEmbeddings, encoded: EncodedSource, masks: DropoutMasks
) -> tuple[Readouts, AttentionOutput]:
    """Runs the steps over given previous tokens; returns readouts and weights at each position."""

    def step(state: DecoderState, projected: StepGates) -> tuple[DecoderState, Any]:
        state, features, attended = decoder.step(state, projected, encoded, masks)
        return state, (features, attended)

    projected = decoder.project(embedded.swapaxes(0, 1))
    _, collected = loop.scan(step, decoder.initial_state(encoded), projected)
    features, attended = jax.tree.map(lambda times: times.swapaxes(0, 1), collected)
    return decoder.readout(features, embedded, masks), attended


def dropout_masks(
    decoder: Decoder, rate: float, dtype: jnp.dtype, *, keys: RowKeys = None
) -> DropoutMasks:
    """Samples each sentence's dropout masks; without keys they are ones."""
    readout, *between = dropout.split(keys, len(decoder.stack.cells))
    return DropoutMasks(
        stack=decoder.stack.dropout_masks(between, rate, dtype),
        readout=dropout.mask(readout, rate, decoder.readout_size, dtype),
    )
