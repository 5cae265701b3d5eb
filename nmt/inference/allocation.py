"""Dynamic beam allocation (Post and Vilar 2018): a beam for phrases that a translation must have.

Hypotheses are in the same bank if they have written as many pieces of the required phrases. At each
step the candidates of a beam of width k are

1. of each live hypothesis the k + 1 likeliest continuations, and the k likeliest ones that lead on
   in a phrase that is not there yet; an end only where all phrases are there.

They are taken in turns: the best of each bank, from the fullest bank to the emptiest, then the
second best of each, and so on (Hu et al. 2019, section 3.2). Then

2. the first k that do not end live on;
3. those that end, if they are among the first k of all, are finished;
4. pruning and patience are as in `beam.py`, and pruning compares hypotheses of one bank.

Without patience, a beam that holds every sequence finds the best one with all phrases.
"""

from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp
from flax import struct
from jax import lax
from jaxtyping import Array, Bool, Int

from nmt.inference.beam import BeamSearch
from nmt.inference.history import Beam, take
from nmt.inference.hypotheses import AnyArray, expand, largest
from nmt.inference.phrases import Automaton
from nmt.inference.prefix import Prefix, replayed
from nmt.inference.strategy import Continuations
from nmt.types import RowKeys

Active = Bool[Array, "row place"]


@struct.dataclass
class RequiredPhrases:
    """The phrases that the translation of each sentence must have."""

    phrases: Automaton
    owned: Bool[AnyArray, "row phrase place"]  # the places of each phrase
    pieces: Int[AnyArray, "row place"]  # of the phrase, written when a place is active

    def bank(self, active: Active) -> Int[Array, " row"]:
        """Returns how many pieces of the phrases have been written."""
        each = self.owned * jnp.where(active, self.pieces, 0)[:, None]
        return each.max(axis=2).sum(axis=1)

    def are_met(self, active: Active, *, ends: bool) -> Bool[Array, "row phrase"]:
        """Returns which phrases are there, if the hypothesis `ends`, or whatever comes next."""
        whole = self.phrases.whole | (self.phrases.written & ends)
        return jnp.any(self.owned & (active & whole)[:, None], axis=2) | ~self.owned.any(axis=2)

    def leading(self, active: Active) -> Bool[Array, "row edge"]:
        """Returns which edges lead on in a phrase that is not there yet."""
        missing = self.owned & ~self.are_met(active, ends=False)[:, :, None]
        after = jnp.take_along_axis(missing.any(axis=1), self.phrases.after, axis=1)
        return self.phrases.leading(active) & after


class Allocation(NamedTuple):
    """The state of a search by an `AllocatedBeam`."""

    finished: Int[Array, " batch"]  # the number of hypotheses
    required: RequiredPhrases
    active: Bool[Array, "batch beam place"]  # of each live hypothesis, before its last token


@struct.dataclass
class AllocatedBeam:
    """A beam whose hypotheses end when all required phrases are there."""

    beam: BeamSearch
    required: RequiredPhrases
    prefix: Prefix | None
    bos: int = struct.field(pytree_node=False)

    seed: ClassVar[None] = None

    @property
    def width(self) -> int:
        """The most live hypotheses of a sentence."""
        return self.beam.width

    def first(self) -> Bool[Array, " beam"]:
        """Returns that there is one empty hypothesis."""
        return self.beam.first()

    def start(self, batch: int, keys: RowKeys) -> Allocation:
        """Returns the state before the last token of the prefix, or `bos`, is read."""
        active = self.required.phrases.start()
        if self.prefix is not None:
            active = replayed(self.required.phrases.read, active, self.prefix, bos=self.bos)
        return Allocation(
            self.beam.start(batch, keys), self.required, expand(active, self.beam.width)
        )

    def __call__(
        self, state: Allocation, continuations: Continuations
    ) -> tuple[Allocation, Beam, Beam]:
        """Returns the new state, the live hypotheses, and those that have ended."""
        required, width = state.required, self.beam.width
        every = jax.vmap(required.phrases.read, in_axes=1, out_axes=1)
        active = every(state.active, continuations.live.tokens)
        candidates = self._candidates(required, active, continuations)
        before = take(active, candidates.back_pointers)
        ends = candidates.tokens == continuations.eos
        complete = jax.vmap(lambda each: required.are_met(each, ends=True).all(axis=1), 1, 1)
        candidates = candidates.only(~ends | complete(before))
        banks = jax.vmap(required.bank, in_axes=1, out_axes=1)(every(before, candidates.tokens))
        order, near = in_turns(candidates, banks, prune=self.beam.prune)
        candidates, before, ends = take((candidates, before, ends), order)
        finished, goes_on, ended = self.beam.ending(state.finished, candidates, ends)
        first = candidates.present & ~ends & near
        first &= first.cumsum(axis=1) <= width
        live = candidates.only(first & goes_on)
        _, places = lax.top_k(live.values, width)
        live, before = take((live, before), places)
        return Allocation(finished, required, before), live, ended

    def _candidates(
        self,
        required: RequiredPhrases,
        active: Bool[Array, "batch beam place"],
        continuations: Continuations,
    ) -> Beam:
        """Returns the likeliest continuations of each hypothesis, and those that lead on."""
        batch, beam, vocab = continuations.values.shape
        number = min(beam + 1, vocab)
        _, likeliest = largest(continuations.values.reshape(batch * beam, vocab), number)
        likeliest = likeliest.reshape(batch, beam, number)
        tokens = jnp.broadcast_to(
            required.phrases.tokens[:, None], (batch, beam, required.phrases.tokens.shape[1])
        )
        leading = jax.vmap(required.leading, in_axes=1, out_axes=1)(active)
        leading &= ~(tokens[..., None] == likeliest[:, :, None]).any(axis=3)
        values = jnp.take_along_axis(continuations.values, tokens, axis=2)
        values, places = lax.top_k(jnp.where(leading, values, -jnp.inf), min(beam, tokens.shape[2]))
        proposed = jnp.take_along_axis(tokens, places, axis=2)
        # Of several edges by one token the first is enough, and what does not lead on is absent.
        again = jnp.tril(proposed[..., None] == proposed[:, :, None], -1).any(axis=3)
        wanted = jnp.concatenate(
            [jnp.ones(likeliest.shape, bool), (values > -jnp.inf) & ~again], axis=2
        )
        every = jnp.concatenate([likeliest, proposed], axis=2)
        pointers = jnp.broadcast_to(jnp.arange(beam)[None, :, None], every.shape)
        chosen = continuations.chosen(pointers.reshape(batch, -1), every.reshape(batch, -1))
        return chosen.only(wanted.reshape(batch, -1))


def in_turns(
    candidates: Beam, banks: Int[Array, "batch path"], *, prune: float | Array
) -> tuple[Int[Array, "batch path"], Bool[Array, "batch path"]]:
    """Returns the places of candidates in the order of their turns, absent ones last.

    And which of them, in this order, are within `prune` nats of the best of their bank.
    """
    values = jnp.where(candidates.present, candidates.values, -jnp.inf)
    by_bank = jnp.lexsort((-values, -banks))
    values, banks = (jnp.take_along_axis(each, by_bank, axis=1) for each in (values, banks))
    places = jnp.arange(values.shape[1])[None, :]
    begins = jnp.pad(banks[:, 1:] != banks[:, :-1], ((0, 0), (1, 0)), constant_values=True)
    best = lax.cummax(jnp.where(begins, places, 0), axis=1)
    near = values >= jnp.take_along_axis(values, best, axis=1) - prune
    turns = jnp.where(values > -jnp.inf, places - best, values.shape[1])
    order = jnp.argsort(turns, axis=1, stable=True)
    return jnp.take_along_axis(by_bank, order, axis=1), jnp.take_along_axis(near, order, axis=1)
