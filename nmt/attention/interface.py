"""The interface between a decoder and an attention mechanism."""

from typing import Any, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
from flax import struct
from jaxtyping import Array, Float, Int

from nmt.types import (
    Annotations,
    Context,
    GuidedKeys,
    Keys,
    Query,
    RowKeys,
    SourceMask,
    SourceVectors,
    Summary,
    Weights,
)


@struct.dataclass
class EncodedSource:
    """A source as the decoder sees it: computed once a sentence, read at every target position."""

    annotations: Annotations
    keys: Keys  # the score's projection of the annotations
    mask: SourceMask
    summary: Summary  # the encoder's, such as the last states of both directions
    embedded: SourceVectors | None = None  # for the lexical model
    guided_keys: GuidedKeys | None = None  # of the guided head, if there is one
    sample_keys: RowKeys = None  # to sample positions with; without, mechanisms take the best
    training: bool = struct.field(pytree_node=False, default=False)  # not translating


@struct.dataclass
class AttentionOutput:
    """The result of attention at one target position, or at each of them."""

    weights: Float[Array, "*places src"]  # float32 or wider; zero on padding
    log_choice: Float[Array, "*places"] | None = None  # log-probability of sampled positions
    # Of a model with a guided head: the decoder's state after the step, which the head compares
    # with the source, and the head's weights for the token that the step has read.
    hidden: Float[Array, "*places hidden"] | None = None
    guided: Float[Array, "*places src"] | None = None

    @property
    def for_search(self) -> "StepAttention":
        """What a search and forced decoding read of it: weights, with the guided head's if any."""
        if self.guided is None:
            return self.weights
        return AttentionOutput(self.weights, guided=self.guided)


# The weights alone, or an output with those of a guided head beside them.
StepAttention = Float[Array, "*places src"] | AttentionOutput


def weights_of(attended: StepAttention) -> Float[Array, "*places src"]:
    """Returns the weights that the context is made of."""
    return attended.weights if isinstance(attended, AttentionOutput) else attended


def shown(attended: StepAttention) -> Float[Array, "*places src"]:
    """Returns the weights to show: of a guided head, if there is one, else those of the context."""
    guided = attended.guided if isinstance(attended, AttentionOutput) else None
    return weights_of(attended) if guided is None else guided


@runtime_checkable
class Attention(Protocol):
    """An attention mechanism, as a decoder uses it."""

    def keys(self, annotations: Annotations) -> Keys:
        """Returns the projection of the annotations, which is the same at every target position."""

    def initial_state(self, encoded: EncodedSource) -> Any:
        """Returns the state before the first target position, a pytree of leaves (batch, ...).

        `()` says that there is none, so that all target positions can be computed at once.
        """

    def __call__(
        self, query: Query, encoded: EncodedSource, state: Any
    ) -> tuple[Context, AttentionOutput, Any]:
        """Returns the context in the dtype of the annotations, the weights, and the next state."""


class Stateless:
    """A mechanism without a state: no target position waits for another."""

    def initial_state(self, encoded: EncodedSource) -> tuple[()]:
        """Returns the empty state."""
        return ()


def weighted_sum(weights: Weights, annotations: Annotations) -> Context:
    """Returns the context: the weighted sum of the annotations, in their dtype."""
    return jnp.einsum("bs,bsa->ba", weights.astype(annotations.dtype), annotations)


def keys_at(sample_keys: RowKeys, numbers: Int[Array, " batch"]) -> RowKeys:
    """Returns each row's random key for a number, such as a step; None without keys."""
    if sample_keys is None:
        return None
    fold_in: Any = jax.vmap(jax.random.fold_in)
    return fold_in(sample_keys, numbers)
