"""The search: `init`, then `step` until every sentence is done, then `finish`.

At each step the predictor gives the log-probabilities of the next token of every live hypothesis,
processors change them, and the strategy selects which continuations live on, and which end. Ended
hypotheses are ranked by the score of `Ranking`, which may include attention. A sentence is done

1. at its maximum length;
2. when none of its hypotheses is live;
3. when no live one could still be among the `n_best` finished ones (`Ranking.bound`).

Finished and live hypotheses are only compared by score and bound.
"""

import dataclasses
from functools import partial

import jax
import jax.numpy as jnp
from flax import struct
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from nmt.attention.interface import shown, weights_of
from nmt.inference.history import Beam, History, take
from nmt.inference.hypotheses import Hypotheses, expand
from nmt.inference.predictor import Encoded, State, Step
from nmt.inference.prefix import Begun
from nmt.inference.processors import Processor, process
from nmt.inference.ranking import Ranking, coverage_penalty
from nmt.inference.strategy import Continuations, Strategy
from nmt.recurrent.cell import choose
from nmt.types import Integer, RowKeys, SourceMask

Rows = tuple[Encoded, tuple[Processor, ...]]  # what each step reads; leaves lead with axis batch
FEWEST = 16  # for fewer sentences, a program for half of a batch is not worth its compilation


@struct.dataclass
class Settings:
    """Settings whose numbers may differ between searches without another compiled program."""

    strategy: Strategy
    ranking: Ranking


@struct.dataclass
class SearchState:
    """The loop's state. `live` and `finished` are best first, and stay as they are once `done`."""

    clock: Integer  # steps so far: the length of live hypotheses behind the prefix
    max_length: Int[Array, " batch"]
    source_mask: SourceMask
    done: Bool[Array, " batch"]
    model: State  # of each live hypothesis, before it reads its last token
    processors: tuple[State, ...]  # as `model`, of each processor
    strategy: State
    live: Beam
    finished: Beam  # the best of them
    history: History  # of what comes after the prefix
    prefix: Begun


@dataclasses.dataclass(frozen=True)
class Search:
    """A search for the `n_best` translations, and the numbers of special tokens.

    `covers` says whether the score includes attention, which then is summed. A batch is halved
    while it is searched, if its half has `fewest` sentences at least.
    """

    n_best: int
    bos: int
    eos: int
    pad: int
    covers: bool = False
    fewest: int = FEWEST

    def __call__(
        self,
        step: Step,
        state: State,
        encoded: Encoded,
        settings: Settings,
        *,
        processors: tuple[Processor, ...] = (),
        prefix: Begun | None = None,
        max_length: Int[Array, " batch"],
        limit: int,
        source_mask: SourceMask,
        keys: RowKeys = None,
    ) -> Hypotheses:
        """Searches until every sentence is done.

        When half of the sentences are done, the search goes on in arrays of half the size, unless
        they are few.

        Args:
            step: `Predictor.step`.
            state: the state before the first token, or before the last one of the prefix; leaves
                lead with the axis batch.
            encoded: the encoded source; leaves lead with the axis batch.
            settings: which hypotheses are kept, and how they are ranked.
            processors: applied in turn to the log-probabilities of each step.
            prefix: what each sentence's translations begin with.
            max_length: of each sentence's translation, eos included; 0 for rows of padding.
            limit: the length of the arrays returned, at least the largest `max_length`.
            source_mask: the real source positions.
            keys: random keys of the sentences, for a strategy that samples.
        """
        rows = encoded, processors
        started = tuple(each.start(len(max_length), limit) for each in processors)
        search = self.init(
            state,
            settings.strategy,
            max_length,
            prefix=prefix or Begun.nothing(*source_mask.shape, processors=started),
            limit=limit,
            source_mask=source_mask,
            keys=keys,
        )
        if prefix is not None:  # all hypotheses of a sentence still are the same: one row is enough
            predicted = step(state, search.live.tokens[:, 0], encoded)
            search = self.step(search, lambda *_: predicted, rows, settings)
        return self._to_the_end(search, step, rows, settings)

    def init(
        self,
        state: State,
        strategy: Strategy,
        max_length: Int[Array, " batch"],
        *,
        prefix: Begun,
        limit: int,
        source_mask: SourceMask,
        keys: RowKeys = None,
    ) -> SearchState:
        """Returns the search before the first token behind the prefix."""
        batch, src = source_mask.shape
        beam = strategy.width
        absent = partial(Beam.absent, token=self.bos, covered=src if self.covers else 0)
        first = strategy.first()[None, :] & (max_length > 0)[:, None]
        live = prefix.hypotheses(absent((batch, beam)), bos=self.bos).only(first)
        return SearchState(
            clock=jnp.zeros((), jnp.int32),
            max_length=jnp.minimum(max_length, limit),
            source_mask=source_mask,
            done=max_length <= 0,
            model=expand(state, beam),
            processors=expand(prefix.processors, beam),
            strategy=strategy.start(batch, keys),
            live=live,
            finished=absent((batch, self.n_best)),
            history=History.blank(batch, limit, beam, src),
            prefix=prefix,
        )

    def _to_the_end(
        self, search: SearchState, step: Step, rows: Rows, settings: Settings
    ) -> Hypotheses:
        """Runs all steps, the last of them in arrays of half the size, and finishes."""

        def run(search: SearchState, rows: Rows, *, until: int) -> SearchState:
            """Runs steps until at most so many sentences are not done."""
            return lax.while_loop(
                lambda search: jnp.sum(~search.done) > until,
                lambda search: self.step(search, step, rows, settings),
                search,
            )

        finish = partial(self.finish, ranking=settings.ranking)
        half = len(search.done) // 2
        if half < self.fewest:
            return finish(run(search, rows, until=0))
        search = run(search, rows, until=half)
        active = jnp.argsort(search.done, stable=True)[:half]
        rest, rows = jax.tree.map(
            lambda leaf: leaf[active] if leaf.ndim else leaf,  # the clock has no axis
            (search, rows),
        )
        rest = run(rest, rows, until=0)
        return jax.tree.map(
            lambda early, late: early.at[active].set(late), finish(search), finish(rest)
        )

    def step(self, search: SearchState, step: Step, rows: Rows, settings: Settings) -> SearchState:
        """Returns the search with one more token on every live hypothesis."""
        encoded, rules = rows
        read = jax.vmap(step, in_axes=(1, 1, None), out_axes=1)
        model, log_probs, attended = read(search.model, search.live.tokens, encoded)
        decide = jax.vmap(partial(process, rules), in_axes=1, out_axes=1)
        processors, values = decide(search.processors, search.live.tokens, log_probs)
        summed = search.live.attention
        if self.covers:
            summed = summed + weights_of(attended)
        continuations = Continuations(search.live, log_probs, values, summed, self.eos)
        state, live, ended = settings.strategy(search.strategy, continuations)
        ended = self._scored(ended, search, settings.ranking)
        finished = search.finished.join(ended).best(self.n_best, by="scores")
        live, finished = choose(search.done, (search.live, search.finished), (live, finished))
        model, processors = take((model, processors), live.back_pointers)
        after = dataclasses.replace(
            search,
            clock=search.clock + 1,
            model=model,
            processors=processors,
            strategy=state,
            live=live,
            finished=finished,
            history=search.history.write(search.clock, live, shown(attended)),
        )
        return dataclasses.replace(after, done=self._are_done(after, settings.ranking))

    def _scored(self, beam: Beam, search: SearchState, ranking: Ranking) -> Beam:
        """Returns hypotheses with their scores."""
        covered: Float[Array, "batch path"] | float = 0.0
        if self.covers:
            covered = coverage_penalty(beam.attention, search.source_mask[:, None, :])
        scores = ranking.score(beam.log_probs, beam.lengths, covered)
        return dataclasses.replace(beam, scores=scores)

    def _are_done(self, search: SearchState, ranking: Ranking) -> Bool[Array, " batch"]:
        """Returns which sentences are done after a step."""
        bounds = ranking.bound(search.live.log_probs, search.max_length[:, None])
        return (
            search.done
            | (search.prefix.lengths + search.clock >= search.max_length)
            | (bounds.max(axis=1) <= search.finished.scores[:, -1])
        )

    def finish(self, search: SearchState, ranking: Ranking) -> Hypotheses:
        """Returns the best hypotheses: finished ones first, then those that were cut."""
        cut = search.live.only(search.live.lengths >= search.max_length[:, None])
        cut = self._scored(cut, search, ranking)
        hypotheses = search.finished.join(cut.best(cut.tokens.shape[1], by="scores"))
        hypotheses = take(
            hypotheses, jnp.argsort(~hypotheses.present, axis=1, stable=True)[:, : self.n_best]
        )
        lengths = jnp.where(hypotheses.present, hypotheses.lengths, 0)
        tokens, token_log_probs, attention = search.prefix.joined(search.history, hypotheses)
        inside = jnp.arange(tokens.shape[2])[None, None, :] < lengths[:, :, None]
        return Hypotheses(
            tokens=jnp.where(inside, tokens, self.pad),
            lengths=lengths,
            log_probs=hypotheses.log_probs,
            token_log_probs=jnp.where(inside, token_log_probs, 0.0),
            scores=hypotheses.scores,
            attention=jnp.where(inside[..., None], attention, 0.0),
        )
