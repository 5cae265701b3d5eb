"""Score functions: how well a decoder state matches each source position."""

import sys
from inspect import signature
from typing import Any, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from nmt.config import SCORES, ScoredConfig
from nmt.config.section import imported
from nmt.errors import ConfigError
from nmt.precision import wide_sum
from nmt.types import Annotations, Keys, Query, Scores


@runtime_checkable
class ScoreFunction(Protocol):
    """A score function, one of these or a user's own.

    It is built as `Class(query_size, annotation_size, rngs=rngs, **score_options)`.
    """

    def keys(self, annotations: Annotations) -> Keys:
        """Returns the projection of the annotations, which is the same at every target position."""

    def __call__(self, query: Query, keys: Keys) -> Scores:
        """Returns one unnormalized score for each source position."""


class AdditiveScore(nnx.Module):
    """The additive score of Bahdanau et al. (2015), appendix A.1.2.

    score(s, h_j) = v . tanh(W s + U h_j)

    Luong et al. (2015) call it concat: their W_a [s; h_j] is W s + U h_j with the two matrices
    side by side.
    """

    query_bias = False

    def __init__(
        self,
        query_size: int,
        annotation_size: int,
        *,
        hidden_size: int | None = None,
        rngs: nnx.Rngs,
    ) -> None:
        size = query_size if hidden_size is None else hidden_size
        self.query = nnx.Linear(query_size, size, use_bias=self.query_bias, rngs=rngs)
        self.key = nnx.Linear(annotation_size, size, use_bias=False, rngs=rngs)
        self.energy = nnx.Linear(size, 1, use_bias=False, rngs=rngs)

    def keys(self, annotations: Annotations) -> Keys:
        """Returns U h_j."""
        return self.key(annotations)

    def __call__(self, query: Query, keys: Keys) -> Scores:
        """Returns v . tanh(W s + U h_j) for each j."""
        return _energies(self.query(query), keys, self.energy.kernel[...].squeeze(-1))


class NormedAdditiveScore(AdditiveScore):
    """The additive score with weight normalization (Salimans and Kingma 2016).

    score(s, h_j) = g v / |v| . tanh(W s + U h_j + b)

    The bias b and the start of g, sqrt(1 / size), are those of the tensorflow/nmt toolkit.
    """

    query_bias = True

    def __init__(
        self,
        query_size: int,
        annotation_size: int,
        *,
        hidden_size: int | None = None,
        rngs: nnx.Rngs,
    ) -> None:
        super().__init__(query_size, annotation_size, hidden_size=hidden_size, rngs=rngs)
        self.scale = nnx.Param(jnp.array(self.energy.in_features**-0.5))

    def __call__(self, query: Query, keys: Keys) -> Scores:
        """Returns g v / |v| . tanh(W s + U h_j + b) for each j."""
        v = self.energy.kernel[...].squeeze(-1)
        energies = super().__call__(query, keys)
        return energies * self.scale[...] / jnp.sqrt(wide_sum("k,k->", v, v))


class LocationScore(nnx.Module):
    """The location score of Luong et al. (2015), equation 8: scores = W s.

    It reads the decoder state alone: row j of W speaks for source position j. There are
    `max_positions` rows; later positions are never attended to.
    """

    def __init__(
        self, query_size: int, annotation_size: int, *, max_positions: int = 128, rngs: nnx.Rngs
    ) -> None:
        self.position = nnx.Linear(query_size, max_positions, use_bias=False, rngs=rngs)

    def keys(self, annotations: Annotations) -> Float[Array, "batch src 0"]:
        """Returns empty keys: only the length of the source matters."""
        return annotations[..., :0]

    def __call__(self, query: Query, keys: Float[Array, "batch src 0"]) -> Scores:
        """Returns the first scores of W s, one for each source position."""
        scores, length = wide_sum("bq,qs->bs", query, self.position.kernel[...]), keys.shape[1]
        beyond = max(0, length - scores.shape[1])
        lowest = jnp.finfo(scores.dtype).min
        return jnp.pad(scores, ((0, 0), (0, beyond)), constant_values=lowest)[:, :length]


def build_score(
    config: ScoredConfig, query_size: int, annotation_size: int, *, rngs: nnx.Rngs
) -> ScoreFunction:
    """Returns the score function that the configuration names.

    Raises:
        ConfigError: an option that the score does not have, or a dotted path to nothing usable.
    """
    score = _imported(SCORES.get(config.score, config.score))
    options = config.score_options
    try:  # apart from the call, in which the author of a score has to see where an error is
        signature(score.__init__).bind(None, query_size, annotation_size, rngs=rngs, **options)
    except TypeError as error:
        raise ConfigError(f"model.attention.score_options: {config.score}: {error}") from None
    return score(query_size, annotation_size, rngs=rngs, **options)


@jax.checkpoint
def _energies(query: Float[Array, "batch key"], keys: Keys, v: Float[Array, " key"]) -> Scores:
    """Returns v . tanh(query + keys), and computes tanh once more for the gradient.

    Stored, the (batch, src, key) values of all target positions would fill the memory.
    """
    return wide_sum("bsk,k->bs", jnp.tanh(query[:, None, :] + keys), v)


def _imported(path: str) -> Any:
    """Returns the class at `package.module:Class`, which Python must be able to import.

    Importing a user's module runs its code, so that a line on stderr announces it.
    """
    module, _, name = path.partition(":")
    if not all(part.isidentifier() for part in (*module.split("."), name)):
        raise ConfigError(f"model.attention.score: {path} is not of the form package.module:Class")
    if path not in SCORES.values() and module not in sys.modules:
        print(f"nmt: importing {path} for model.attention.score", file=sys.stderr)
    try:
        found = imported(path)
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"model.attention.score: cannot import {path} ({error})") from None
    if not (isinstance(found, type) and issubclass(found, ScoreFunction)):
        raise ConfigError(
            f"model.attention.score: {path} is not a class with the methods `keys` and `__call__`"
        )
    return found
