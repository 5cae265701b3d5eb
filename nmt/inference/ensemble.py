"""Ensembles: several models of one vocabulary, which predict each token together."""

from collections.abc import Sequence
from functools import reduce
from itertools import compress
from typing import Any

import jax.numpy as jnp
from flax import struct
from jaxtyping import Array, Float, Int

from nmt.attention.interface import AttentionOutput, StepAttention, shown, weights_of
from nmt.inference.predictor import Encoded, Loaded, Predictor, Source, State
from nmt.types import LastTokens, LogProbs


@struct.dataclass
class LoadedEnsemble:
    """The members of an ensemble."""

    members: tuple[Loaded, ...]

    def predictor(self, *, seed: Any = None, common: Any = None) -> "Ensemble":
        """Returns the predictor of all members, which share seed and shortlist."""
        return Ensemble([each.predictor(seed=seed, common=common) for each in self.members])


class Ensemble:
    """Predictors whose probabilities and attention are averaged at each step.

    The mean of attention is that of the members that have weights, and of guided heads, that of the
    members that have one.

    p(y_t | y_<t, x) = 1/n sum_m p_m(y_t | y_<t, x)

    Averaging log-probabilities instead would let a single member veto a token.
    """

    def __init__(self, members: Sequence[Predictor]) -> None:
        self.members = members
        # Predictors of other kinds than nmt's need not say it.
        self._weighted = [getattr(each, "has_weights", True) for each in members]

    def start(self, source: Source) -> tuple[Encoded, State]:
        """Returns what each member encodes, and its first state."""
        encoded, states = zip(*(each.start(source) for each in self.members), strict=True)
        return encoded, states

    def step(
        self, state: State, tokens: LastTokens, encoded: Encoded
    ) -> tuple[State, LogProbs, StepAttention]:
        """Runs one step of each member."""
        steps = zip(self.members, state, encoded, strict=True)
        states, log_probs, attention = zip(
            *(member.step(own, tokens, read) for member, own, read in steps), strict=True
        )
        return states, _log_mean(log_probs), self._mean(attention)

    def read(
        self,
        state: State,
        tokens: Int[Array, "row begun"],
        lengths: Int[Array, " row"],
        encoded: Encoded,
        *,
        bos: int,
    ) -> tuple[State, Float[Array, "row begun"], StepAttention]:
        """Has each member read the given tokens."""
        states, log_probs, attention = zip(
            *(
                member.read(own, tokens, lengths, read, bos=bos)
                for member, own, read in zip(self.members, state, encoded, strict=True)
            ),
            strict=True,
        )
        return states, _log_mean(log_probs), self._mean(attention)

    def force(
        self, source: Source, target: Int[Array, "row tgt"], *, bos: int
    ) -> tuple[Float[Array, "row tgt"], StepAttention]:
        """Has each member predict the given targets."""
        forced = (each.force(source, target, bos=bos) for each in self.members)
        log_probs, attention = zip(*forced, strict=True)
        return _log_mean(log_probs), self._mean(attention)

    def _mean(self, attention: Sequence[StepAttention]) -> StepAttention:
        guided = [shown(each) for each in attention if isinstance(each, AttentionOutput)]
        weighted = list(compress(attention, self._weighted)) or attention  # if none has, all zeros
        weights = jnp.mean(jnp.stack(list(map(weights_of, weighted))), axis=0)
        if not guided:
            return weights
        return AttentionOutput(weights, guided=jnp.mean(jnp.stack(guided), axis=0))


def members(loaded: Loaded) -> tuple[Loaded, ...]:
    """Returns the members of an ensemble, or what is one by itself."""
    return loaded.members if isinstance(loaded, LoadedEnsemble) else (loaded,)


def has_guided_head(loaded: Loaded) -> bool:
    """Returns whether a model, or a member of an ensemble, has a guided head."""
    return any(getattr(each, "has_guided_head", False) for each in members(loaded))


def _log_mean(log_probs: Sequence[Float[Array, "*places"]]) -> Float[Array, "*places"]:
    """Returns the logarithm of the mean of probabilities.

    `jax.nn.logsumexp` of stacked arrays made a search by two models take 1.7 times as long.
    """
    least = jnp.finfo(log_probs[0].dtype).min  # where all are -inf, which minus itself is no number
    most = jnp.maximum(reduce(jnp.maximum, log_probs), least)
    return most + jnp.log(sum(jnp.exp(each - most) for each in log_probs) / len(log_probs))
