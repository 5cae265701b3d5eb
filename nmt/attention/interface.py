"""What a decoder and a mechanism of attention exchange."""

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
    SourceEmbeddings,
    SourceMask,
    Weights,
)


@struct.dataclass
class EncodedSource:
    """A source as the decoder sees it: computed once a sentence, read at every target position."""

    annotations: Annotations
    keys: Keys  # the score's projection of the annotations
    mask: SourceMask  # True where a token stands, False on padding
    summary: Context  # last states of both directions, side by side
    embedded: SourceEmbeddings | None = None  # source tokens, if read directly
    sample_keys: RowKeys = None  # of mechanisms that sample positions; else they take the best
    training: bool = struct.field(pytree_node=False, default=False)  # not translating


@struct.dataclass
class AttentionOutput:
    """What a decoder attended to at one target position, or at each of them."""

    weights: Float[Array, "*places src"]  # float32 or wider; zero on padding
    log_choice: Float[Array, "*places"] | None = None  # log-probability of what was drawn


@runtime_checkable
class Attention(Protocol):
    """What a decoder asks of a mechanism."""

    def keys(self, annotations: Annotations) -> Keys:
        """Returns what of the annotations is the same at every target position."""

    def initial_state(self, encoded: EncodedSource) -> Any:
        """Returns what is carried from one target position to the next: leaves of axis batch.

        `()` says that no position waits for another: they may all be attended from at once.
        """

    def __call__(
        self, query: Query, encoded: EncodedSource, state: Any
    ) -> tuple[Context, AttentionOutput, Any]:
        """Returns the context, in the type of the annotations, the weights, and the next state."""


class Stateless:
    """What a mechanism is whose target positions do not wait for each other."""

    def initial_state(self, encoded: EncodedSource) -> tuple[()]:
        """Returns nothing to carry."""
        return ()


def weighted_sum(weights: Weights, annotations: Annotations) -> Context:
    """Returns the context: the sum of the annotations by their weights, in their type."""
    return jnp.einsum("bs,bsa->ba", weights.astype(annotations.dtype), annotations)


def keys_at(sample_keys: RowKeys, numbers: Int[Array, " batch"]) -> RowKeys:
    """Returns each row's random key of a number, such as a target position; None without keys."""
    if sample_keys is None:
        return None
    fold_in: Any = jax.vmap(jax.random.fold_in)
    return fold_in(sample_keys, numbers)
