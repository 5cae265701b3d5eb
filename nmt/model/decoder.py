"""What all attentional decoders share: one step, which training scans and search loops over.

A decoder has three parts. `project` is what an input token contributes, for all positions at once;
`step` is what must wait for the state; `readout` turns what the steps left into the layer under
the logits, again for all positions at once. `scan` drives the three over given tokens.
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


@struct.dataclass
class DecoderState:
    """What one step hands to the next; every leaf leads with the batch, in search with the beam."""

    stack: States
    input_feed: Float[Array, "batch *beam feed"]  # the attentional vector; empty if it is not fed
    attention: Any  # what the mechanism carries


@struct.dataclass
class DropoutMasks:
    """Dropout of one sentence, the same at each step; ones where nothing is dropped."""

    stack: Masks
    readout: Float[Array, "#batch #readout"]


@runtime_checkable
class Decoder(Protocol):
    """What the sequence model asks of a decoder.

    It is built as `Class(config, model, rngs=...)`, `config` being its own section of the
    configuration, and `model` that of the whole model.
    """

    stack: Stack
    attention: Attention
    readout_size: int

    def initial_state(self, encoded: EncodedSource) -> DecoderState:
        """Returns s_0."""

    def project(self, embedded: TargetEmbeddings) -> Float[Array, "batch tgt gates"]:
        """Returns what the embeddings of the previous tokens add to the gates."""

    def step(
        self, state: DecoderState, projected: StepGates, encoded: EncodedSource, masks: DropoutMasks
    ) -> tuple[DecoderState, Any, AttentionOutput]:
        """Returns the next state, what `readout` needs, and what was attended to."""

    def readout(self, features: Any, embedded: TargetEmbeddings, masks: DropoutMasks) -> Readouts:
        """Returns the layer under the logits."""

    def teacher_forced(
        self, embedded: TargetEmbeddings, encoded: EncodedSource, masks: DropoutMasks
    ) -> tuple[Readouts, AttentionOutput]:
        """Returns readouts and weights at all positions, given the true previous tokens."""


def scan(
    decoder: Decoder, embedded: TargetEmbeddings, encoded: EncodedSource, masks: DropoutMasks
) -> tuple[Readouts, AttentionOutput]:
    """Runs the step over given previous tokens; returns readouts and weights at each position."""

    def step(
        state: DecoderState, projected: StepGates
    ) -> tuple[DecoderState, tuple[Any, AttentionOutput]]:
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


def build_stack(model: ModelConfig, *, rngs: nnx.Rngs) -> Stack:
    """Returns the layers of a decoder, which read the embedding of the previous token."""
    return Stack(
        model.cell,
        model.embedding_size,
        model.decoder.hidden_size,
        layers=model.decoder.layers,
        summary_size=model.annotation_size,
        rngs=rngs,
    )
