"""What all attentional decoders share: one step, which training scans and search loops over.

A decoder has three parts. `project` is what an input token contributes, for all positions at once;
`step` is what must wait for the state; `readout` turns what the steps left into the layer under
the logits, again for all positions at once. `scan` drives the three over given tokens.
"""

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
from flax import nnx, struct
from jaxtyping import Array, Float

from nmt.attention.interface import Attended, Attention, Memory
from nmt.config import ModelConfig
from nmt.model import dropout
from nmt.model import scan as loop
from nmt.model.gru import GRU


@struct.dataclass
class DecoderState:
    """What one step hands to the next; every leaf leads with the batch, in search with the beam."""

    hidden: tuple[Float[Array, "batch *beam hidden"], ...]  # one a layer, the top one last
    feed: Float[Array, "batch *beam feed"]  # the attentional vector, empty where it is not fed
    attention: Any  # what the mechanism carries


@struct.dataclass
class Masks:
    """Dropout of one sentence, the same at each step; ones where nothing is dropped."""

    between: tuple[Float[Array, "#batch #hidden"], ...]  # under each upper layer
    readout: Float[Array, "#batch #readout"]


@runtime_checkable
class Decoder(Protocol):
    """What the sequence model asks of a decoder."""

    layers: Sequence[GRU]
    attention: Attention
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
    ) -> tuple[DecoderState, Any, Attended]:
        """Returns the next state, what `readout` needs, and what was attended to."""
        ...

    def readout(
        self, features: Any, embedded: Float[Array, "batch tgt embed"], masks: Masks
    ) -> Float[Array, "batch tgt readout"]:
        """Returns the layer under the logits."""
        ...

    def teacher_forced(
        self, embedded: Float[Array, "batch tgt embed"], memory: Memory, masks: Masks
    ) -> tuple[Float[Array, "batch tgt readout"], Attended]:
        """Returns readouts and weights at all positions, given the true previous tokens."""
        ...


def scan(
    decoder: Decoder,
    embedded: Float[Array, "batch tgt embed"],
    memory: Memory,
    masks: Masks,
) -> tuple[Float[Array, "batch tgt readout"], Attended]:
    """Runs the step over given previous tokens; returns readouts and weights at each position."""

    def step(
        state: DecoderState, projected: Float[Array, "batch gates"]
    ) -> tuple[DecoderState, tuple[Any, Attended]]:
        state, features, attended = decoder.step(state, projected, memory, masks)
        return state, (features, attended)

    projected = decoder.project(embedded.swapaxes(0, 1))
    _, collected = loop.scan(step, decoder.initial_state(memory), projected)
    features, attended = jax.tree.map(lambda times: times.swapaxes(0, 1), collected)
    return decoder.readout(features, embedded, masks), attended


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


def stack(input_size: int, config: ModelConfig, *, rngs: nnx.Rngs) -> Sequence[GRU]:
    """Returns the decoder's GRUs, the bottom one first."""
    hidden = config.decoder.hidden_size
    sizes = [input_size] + [hidden] * (config.decoder.layers - 1)
    return nnx.List([GRU(size, hidden, rngs=rngs) for size in sizes])


def initial_layers(config: ModelConfig, *, rngs: nnx.Rngs) -> Sequence[nnx.Linear]:
    """Returns the matrices W_s that the initial states come from, one a layer."""
    size, hidden = config.annotation_size, config.decoder.hidden_size
    return nnx.List([nnx.Linear(size, hidden, rngs=rngs) for _ in range(config.decoder.layers)])


def initial_states(
    layers: Sequence[nnx.Linear], memory: Memory
) -> tuple[Float[Array, "batch hidden"], ...]:
    """Returns tanh(W_s h), h being both final states (the paper reads the backward one)."""
    return tuple(jnp.tanh(layer(memory.summary)) for layer in layers)


def advance(
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
