"""The interface between a decoder and an attention mechanism."""

from typing import Any, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
from flax import struct
from jaxtyping import Array, Float, Int

from nmt.types import (
    Annotations,
    Context,
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
    sample_keys: RowKeys = None  # to sample positions with; without, mechanisms take the best
    training: bool = struct.field(pytree_node=False, default=False)  # not translating


@struct.dataclass
class AttentionOutput:
    """The result of attention at one target position, or at each of them."""

    weights: Float[Array, "*places src"]  # float32 or wider; zero on padding
    log_choice: Float[Array, "*places"] | None = None  # log-probability of sampled positions


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
