"""Beam search, as a strategy: the rules by which hypotheses live on, and end.

A beam of width k holds at most k live hypotheses of a sentence, all of the same length. At each
step every live one is extended with every token that the processors allow. Of these candidates

1. the k best that do not end are live next;
2. those that end, if they are among the k best of all, are finished;
3. a live hypothesis whose log-probability is more than `prune` nats below that of the likeliest
   live one is dropped (absolute threshold pruning, Freitag and Al-Onaizan 2017, section 3);
4. when p k hypotheses have finished, p being the `patience` of Kasai et al. (2022), all live ones
   are dropped.

Candidates, all of one length, are compared by their log-probability, with the last token's as
changed by the processors. `search.py` says when else a sentence is done. With a patience of 1, a
beam of 1 is greedy search. Without patience the search is exact: it returns the best of all
hypotheses that 1 to 3 would ever finish, with a beam that holds every sequence the best of all
sequences.
"""

from typing import ClassVar

import jax.numpy as jnp
from flax import struct
from jaxtyping import Array, Bool, Int

from nmt.config import DecodingConfig, GreedyConfig, StrategyConfig
from nmt.inference.history import Beam
from nmt.inference.strategy import Continuations
from nmt.types import RowKeys, Scalar


@struct.dataclass
class BeamSearch:
    """A beam of a width; its state is the number of hypotheses that have finished."""

    width: int = struct.field(pytree_node=False)
    patience: float | Scalar = jnp.inf  # infinite: exact
    prune: float | Scalar = jnp.inf  # nats; infinite: none

    seed: ClassVar[None] = None

    @classmethod
    def of(cls, strategy: StrategyConfig, config: DecodingConfig, *, n_best: int) -> "BeamSearch":
        """Returns the beam of a configuration; of a beam of 1, greedy search."""
        if isinstance(strategy, GreedyConfig):
            return cls(width=1, patience=1.0)
        return cls(
            width=config.beam,
            patience=jnp.inf if config.patience is None else config.patience,
            prune=jnp.inf if config.prune is None else config.prune,
        )

    def first(self) -> Bool[Array, " beam"]:
        """Returns that there is one empty hypothesis."""
        return jnp.arange(self.width) == 0

    def start(self, batch: int, keys: RowKeys) -> Int[Array, " batch"]:
        """Returns that none has finished."""
        return jnp.zeros(batch, jnp.int32)

    def __call__(
        self, finished: Int[Array, " batch"], continuations: Continuations
    ) -> tuple[Int[Array, " batch"], Beam, Beam]:
        """Returns the number of finished hypotheses, the live ones, and those that have ended."""
        candidates = continuations.best(self.width)
        ends = candidates.tokens == continuations.eos
        live = candidates.only(~ends).best(self.width, by="values")
        near = live.values >= live.values[:, :1] - self.prune
        finished, goes_on, ended = self.ending(finished, candidates, ends)
        return finished, live.only(near & goes_on), ended

    def ending(
        self, finished: Int[Array, " batch"], candidates: Beam, ends: Bool[Array, "batch path"]
    ) -> tuple[Int[Array, " batch"], Bool[Array, "batch 1"], Beam]:
        """Applies rules 2 and 4 to candidates, best first, of which some end.

        Returns the number of finished hypotheses, whether any live on, and those that have ended.
        """
        ended = candidates.only(ends & (jnp.arange(ends.shape[1])[None, :] < self.width))
        finished = finished + ended.present.sum(axis=1)
        return finished, (finished < self.patience * self.width)[:, None], ended
