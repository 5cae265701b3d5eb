"""Diverse beam search, as a strategy: the groups of a beam avoid each other's tokens."""

import dataclasses
from functools import reduce
from typing import ClassVar

import jax.numpy as jnp
from flax import struct
from jaxtyping import Array, Bool

from nmt.config import DecodingConfig, DiverseBeamConfig
from nmt.inference.beam import BeamSearch
from nmt.inference.history import Beam
from nmt.inference.strategy import Continuations, State
from nmt.types import RowKeys, Scalar


@struct.dataclass
class DiverseBeamSearch:
    """Algorithm 1 of Vijayakumar et al. (2018), with the Hamming diversity of section 5.1.

    Each group is a beam of its own. At each step, one group after the other selects by

        log p(y) - penalty * (number of times that earlier groups chose the last token of y now)

    The penalty of earlier steps is not carried along. The state is that of each group.
    """

    seed: ClassVar[None] = None

    groups: int = struct.field(pytree_node=False)
    group: BeamSearch
    penalty: float | Scalar

    @classmethod
    def of(
        cls, strategy: DiverseBeamConfig, config: DecodingConfig, *, n_best: int
    ) -> "DiverseBeamSearch":
        """Returns the groups of a configuration."""
        width = config.beam // strategy.groups
        group = BeamSearch.of(strategy, config, n_best=n_best)
        group = dataclasses.replace(group, width=width)
        return cls(groups=strategy.groups, group=group, penalty=strategy.penalty)

    @property
    def width(self) -> int:
        """The most live hypotheses of all groups together."""
        return self.groups * self.group.width

    def first(self) -> Bool[Array, " beam"]:
        """Returns that each group has one empty hypothesis."""
        return jnp.tile(self.group.first(), self.groups)

    def start(self, batch: int, keys: RowKeys) -> tuple[State, ...]:
        """Returns the state of each group."""
        return (self.group.start(batch, keys),) * self.groups

    def __call__(
        self, states: tuple[State, ...], continuations: Continuations
    ) -> tuple[tuple[State, ...], Beam, Beam]:
        """Lets the groups select in turn."""
        batch, _, vocab = continuations.values.shape
        width, rows = self.group.width, jnp.arange(batch)[:, None]
        chosen = jnp.zeros((batch, vocab))  # how often, by the groups so far
        selected = []
        for number, state in enumerate(states):
            first = number * width
            own = continuations.of(slice(first, first + width))
            values = own.values - self.penalty * chosen[:, None, :]
            state, *kept = self.group(state, dataclasses.replace(own, values=values))
            for beam in kept:
                chosen = chosen.at[rows, beam.tokens].add(beam.present)
            moved = (
                dataclasses.replace(beam, back_pointers=beam.back_pointers + first) for beam in kept
            )
            selected.append((state, *moved))
        after, live, ended = zip(*selected, strict=True)
        return after, reduce(Beam.join, live), reduce(Beam.join, ended)
