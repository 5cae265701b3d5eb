"""Beam search: `init`, then `step` until every sentence is done, then `finish`.

A beam of width k holds at most k live hypotheses of a sentence, all of the same length. At each
step every live one is extended with every token that the processors allow. Of these candidates

1. the k best that do not end are live next;
2. those that end, if they are among the k best of all, are finished;
3. a live hypothesis whose log-probability is more than `prune` nats below that of the likeliest
   live one is dropped (absolute threshold pruning, Freitag and Al-Onaizan 2017, section 3).

Candidates, all of one length, are compared by their log-probability, with the last token's as
changed by the processors; finished hypotheses by the score of `Ranking`, which may include
attention. A sentence is done at its maximum length, when none of its hypotheses is live, or

4. when p k hypotheses have finished, p being the `patience` of Kasai et al. (2022);
5. when no live one could still be among the `n_best` finished ones (`Ranking.bound`).

Without patience the search is exact: it returns the best of all hypotheses that 1 to 3 would ever
finish, with a beam that holds every sequence the best of all sequences. With a patience of 1, a
beam of 1 is greedy search. Finished and live hypotheses are only compared by score and bound.
"""

import dataclasses
from functools import partial

import jax
import jax.numpy as jnp
from flax import struct
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from nmt.config import DecodingConfig
from nmt.inference.history import Beam, History, choose, take
from nmt.inference.hypotheses import Hypotheses, expand, largest
from nmt.inference.predictor import Encoded, State, Step
from nmt.inference.processors import Processor, process
from nmt.inference.ranking import Ranking, coverage_penalty
from nmt.types import Integer, Scalar, SourceMask

Rows = tuple[Encoded, tuple[Processor, ...]]  # what each step reads; leaves lead with axis batch
FEWEST = 16  # below so many sentences, a program for half of them is not worth its compilation


@struct.dataclass
class Settings:
    """Settings that may differ between searches without another compiled program."""

    ranking: Ranking
    patience: float | Scalar  # infinite: exact
    prune: float | Scalar  # nats; infinite: none

    @classmethod
    def of(cls, config: DecodingConfig) -> "Settings":
        """Returns the settings of a configuration."""
        return cls(
            ranking=Ranking.of(config),
            patience=jnp.inf if config.patience is None else config.patience,
            prune=jnp.inf if config.prune is None else config.prune,
        )


@struct.dataclass
class SearchState:
    """The loop's state. `live` and `finished` are best first, and stay as they are once `done`."""

    clock: Integer  # steps so far: the length of live hypotheses
    max_length: Int[Array, " batch"]
    source_mask: SourceMask
    done: Bool[Array, " batch"]
    model: State  # of each live hypothesis, before it reads its last token
    processors: tuple[State, ...]  # as `model`, of each processor
    live: Beam
    finished: Beam  # the best of them
    number: Int[Array, " batch"]  # of all finished hypotheses
    history: History


@dataclasses.dataclass(frozen=True)
class BeamSearch:
    """A search for the `n_best` translations, at most `beam`, and the numbers of special tokens.

    `covers` says whether the score includes attention, which then is summed.
    """

    beam: int
    n_best: int
    bos: int
    eos: int
    pad: int
    covers: bool = False

    def __call__(
        self,
        step: Step,
        state: State,
        encoded: Encoded,
        settings: Settings,
        *,
        processors: tuple[Processor, ...] = (),
        max_length: Int[Array, " batch"],
        limit: int,
        source_mask: SourceMask,
    ) -> Hypotheses:
        """Searches until every sentence is done.

        When half of the sentences are done, the search goes on in arrays of half the size.

        Args:
            step: `Predictor.step`.
            state: the state before the first token; leaves lead with the axis batch.
            encoded: the encoded source; leaves lead with the axis batch.
            settings: how hypotheses are ranked, and when a sentence is done.
            processors: applied in turn to the log-probabilities of each step.
            max_length: of each sentence's translation, eos included; 0 for rows of padding.
            limit: the length of the arrays returned, at least the largest `max_length`.
            source_mask: the real source positions.
        """

        def run(search: SearchState, rows: Rows, *, until: int) -> SearchState:
            """Runs steps until at most so many sentences are not done."""
            return lax.while_loop(
                lambda search: jnp.sum(~search.done) > until,
                lambda search: self.step(search, step, rows, settings),
                search,
            )

        rows = encoded, processors
        states = tuple(each.start(len(max_length), limit) for each in processors)
        search = self.init(state, states, max_length, limit=limit, source_mask=source_mask)
        half = len(max_length) // 2
        if half < FEWEST:
            return self.finish(run(search, rows, until=0))
        search = run(search, rows, until=half)
        active = jnp.argsort(search.done, stable=True)[:half]
        rest, rows = jax.tree.map(
            lambda leaf: leaf[active] if leaf.ndim else leaf,  # the clock has no axis
            (search, rows),
        )
        rest = run(rest, rows, until=0)
        return jax.tree.map(
            lambda early, late: early.at[active].set(late), self.finish(search), self.finish(rest)
        )

    def init(
        self,
        state: State,
        processors: tuple[State, ...],
        max_length: Int[Array, " batch"],
        *,
        limit: int,
        source_mask: SourceMask,
    ) -> SearchState:
        """Returns the search before the first token: one live hypothesis for each sentence."""
        batch, src = source_mask.shape
        absent = partial(Beam.absent, token=self.bos, covered=src if self.covers else 0)
        live = absent((batch, self.beam))
        first = (jnp.arange(self.beam)[None, :] == 0) & (max_length > 0)[:, None]
        return SearchState(
            clock=jnp.zeros((), jnp.int32),
            max_length=jnp.minimum(max_length, limit),
            source_mask=source_mask,
            done=max_length <= 0,
            model=expand(state, self.beam),
            processors=expand(processors, self.beam),
            live=dataclasses.replace(live, log_probs=jnp.where(first, 0.0, -jnp.inf)),
            finished=absent((batch, self.n_best)),
            number=jnp.zeros(batch, jnp.int32),
            history=History.blank(batch, limit, self.beam, src),
        )

    def step(self, search: SearchState, step: Step, rows: Rows, settings: Settings) -> SearchState:
        """Returns the search with one more token on every live hypothesis."""
        encoded, rules = rows
        read = jax.vmap(step, in_axes=(1, 1, None), out_axes=1)
        model, log_probs, attention = read(search.model, search.live.tokens, encoded)
        decide = jax.vmap(partial(process, rules), in_axes=1, out_axes=1)
        processors, allowed = decide(search.processors, search.live.tokens, log_probs)
        candidates = self._candidates(search, log_probs, allowed, attention, settings.ranking)
        live, finished, number = choose(
            search.done,
            (search.live, search.finished, search.number),
            self._select(search, candidates, settings.prune),
        )
        model, processors = take((model, processors), live.back_pointers)
        after = dataclasses.replace(
            search,
            clock=search.clock + 1,
            model=model,
            processors=processors,
            live=live,
            finished=finished,
            number=number,
            history=search.history.write(search.clock, live, attention),
        )
        return dataclasses.replace(after, done=after.done | self._are_done(after, settings))

    def _candidates(
        self,
        search: SearchState,
        log_probs: Float[Array, "batch beam vocab"],
        allowed: Float[Array, "batch beam vocab"],
        attention: Float[Array, "batch beam src"],
        ranking: Ranking,
    ) -> Beam:
        """Returns the best continuations of live hypotheses, twice as many as the beam is wide.

        beam + 1 continuations of one hypothesis are enough: at most one of them ends.
        """
        batch, beam, vocab = log_probs.shape
        number = min(beam + 1, vocab)
        best = largest(allowed.reshape(batch * beam, vocab), number)
        changed, tokens = (each.reshape(batch, beam, number) for each in best)
        gained = jnp.take_along_axis(log_probs, tokens, axis=2)
        gained = jnp.where(changed > -jnp.inf, gained, -jnp.inf)
        totals, values = (search.live.log_probs[:, :, None] + each for each in (gained, changed))
        summed, covered = search.live.attention, jnp.zeros((batch, beam))
        if self.covers:
            summed = summed + attention
            covered = coverage_penalty(summed, search.source_mask[:, None, :])
        values, places = lax.top_k(values.reshape(batch, -1), min(2 * beam, beam * number))
        back_pointers = places // number
        tokens, totals = (
            jnp.take_along_axis(each.reshape(batch, -1), places, axis=1)
            for each in (tokens, totals)
        )
        lengths = take(search.live.lengths + 1, back_pointers)
        return Beam(
            tokens=tokens,
            back_pointers=back_pointers,
            lengths=lengths,
            log_probs=totals,
            values=values,
            scores=ranking.score(totals, lengths, take(covered, back_pointers)),
            attention=take(summed, back_pointers),
        )

    def _select(
        self, search: SearchState, candidates: Beam, prune: float | Scalar
    ) -> tuple[Beam, Beam, Int[Array, " batch"]]:
        """Returns the live hypotheses, the best finished ones, and the number of finished ones."""
        ends = candidates.tokens == self.eos
        ended = candidates.only(ends & (jnp.arange(ends.shape[1])[None, :] < self.beam))
        live = candidates.only(~ends).best(self.beam, by="values")
        return (
            live.only(live.values >= live.values[:, :1] - prune),
            search.finished.join(ended).best(self.n_best, by="scores"),
            search.number + ended.present.sum(axis=1),
        )

    def _are_done(self, search: SearchState, settings: Settings) -> Bool[Array, " batch"]:
        """Returns which sentences are done after a step."""
        longest = search.max_length[:, None]
        reachable = settings.ranking.bound(search.live.log_probs, longest).max(axis=1)
        return (
            (search.clock >= search.max_length)
            | (search.number >= settings.patience * self.beam)
            | (reachable <= search.finished.scores[:, -1])
        )

    def finish(self, search: SearchState) -> Hypotheses:
        """Returns the best hypotheses: finished ones first, then those that were cut."""
        cut = search.live.only(search.live.lengths >= search.max_length[:, None])
        hypotheses = search.finished.join(cut.best(self.beam, by="scores"))
        hypotheses = take(
            hypotheses, jnp.argsort(~hypotheses.present, axis=1, stable=True)[:, : self.n_best]
        )
        lengths = jnp.where(hypotheses.present, hypotheses.lengths, 0)
        tokens, attention = search.history.backtrace(hypotheses)
        inside = jnp.arange(tokens.shape[2])[None, None, :] < lengths[:, :, None]
        return Hypotheses(
            tokens=jnp.where(inside, tokens, self.pad),
            lengths=lengths,
            log_probs=hypotheses.log_probs,
            scores=hypotheses.scores,
            attention=jnp.where(inside[..., None], attention, 0.0),
        )
