"""Beam search: `init`, then `step` until every sentence is done, then `finish`.

The model reads a fixed number of rows at a time, and a row is one live hypothesis of any sentence.
Hypotheses that are given up and sentences that are done leave their rows to others, which wait
until then, so that rows are hardly ever idle. What the model has read stands in a log; the tokens
and the attention of the best hypotheses are collected from it at the end.
"""

import dataclasses

import jax
import jax.numpy as jnp
from flax import struct
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from nmt.decoding.hypotheses import (
    Hypotheses,
    Memory,
    Normalisation,
    State,
    Step,
    bound,
    coverage_penalty,
    expand,
    forbid,
    largest,
    normalise,
)
from nmt.decoding.paths import Log, Paths, choose, take
from nmt.decoding.rows import Plan, most_readings


def search(
    step: Step,
    state: State,
    memory: Memory,
    *,
    beam: int,
    max_length: Int[Array, " batch"],
    limit: int,
    source_mask: Bool[Array, "batch src"],
    bos: int,
    eos: int,
    pad: int,
    normalisation: Normalisation,
    alpha: float,
    coverage: float = 0.0,
    prune: float | None = None,
    rows: int = 256,
    n_best: int = 1,
) -> Hypotheses:
    """Returns the `n_best` translations of each sentence, at most `beam`.

    Args:
        step: the model.
        state: its state before the first token; leaves lead with the axis batch, without beam.
        memory: what the step reads besides; leaves lead with the axis batch.
        beam: how many hypotheses of a sentence are extended at once.
        max_length: of each sentence's translation, eos included; 0 for rows of padding.
        limit: the length of the arrays returned, at least the largest `max_length`.
        source_mask: the real positions of the attention's axis src.
        bos: the token that every hypothesis starts from; like `pad` it is never generated.
        eos: the token that ends a hypothesis.
        pad: what follows the end in the tokens returned.
        normalisation: how lengths are made comparable, see `normalise`.
        alpha: its exponent.
        coverage: the weight of `coverage_penalty` in the score.
        prune: a hypothesis so much less probable than the best one of its sentence is given up.
        rows: how many hypotheses the model reads at once, at least `beam`.
        n_best: how many translations are returned.
    """
    rules = BeamSearch(
        beam=beam,
        n_best=n_best,
        bos=bos,
        eos=eos,
        pad=pad,
        normalisation=normalisation,
        alpha=alpha,
        coverage=coverage,
        prune=prune,
    )
    start = rules.init(state, max_length, limit=limit, source_mask=source_mask, rows=rows)
    return rules.finish(rules.run(start, step, memory), limit=limit)


FEWEST = 64  # rows; when few sentences are left, a quarter of the rows is enough, but no fewer


@struct.dataclass
class SearchState:
    """What the loop carries. `live` and `finished` are best first, and stay once `done`."""

    clock: Int[Array, ""]  # how many times the model has read
    max_length: Int[Array, " batch"]
    source_mask: Bool[Array, "batch src"]
    done: Bool[Array, " batch"]
    model: State  # after what each place of the beam has last read
    live: Paths
    finished: Paths
    log: Log


@dataclasses.dataclass(frozen=True)
class BeamSearch:
    """The rules of a search.

    At each time the `beam` best continuations of a sentence that do not end live on. One that ends
    counts only among the `beam` best of all: a beam of 1 is greedy search, and a beam that holds
    all sequences finds the best of all.

    A live hypothesis is given up when it can no longer be among the `n_best`, or by `prune`. A
    sentence is done at its maximum length; when no hypothesis of it is live; or when `beam`
    hypotheses have finished and no live one is more probable than any of them.
    """

    beam: int
    n_best: int
    bos: int
    eos: int
    pad: int
    normalisation: Normalisation
    alpha: float
    coverage: float = 0.0
    prune: float | None = None

    def init(
        self,
        state: State,
        max_length: Int[Array, " batch"],
        *,
        limit: int,
        source_mask: Bool[Array, "batch src"],
        rows: int,
    ) -> SearchState:
        """Returns the search before the first token: one live hypothesis for each sentence."""
        batch, src = source_mask.shape
        covered = src if self.coverage else 0
        nothing = Paths.absent((batch, self.beam), token=self.bos, covered=covered)
        max_length = jnp.minimum(max_length, limit)
        rows = min(rows, batch * self.beam)
        first = (jnp.arange(self.beam)[None, :] == 0) & (max_length > 0)[:, None]
        return SearchState(
            clock=jnp.zeros((), jnp.int32),
            max_length=max_length,
            source_mask=source_mask,
            done=max_length <= 0,
            model=expand(state, self.beam),
            live=dataclasses.replace(nothing, log_probs=jnp.where(first, 0.0, -jnp.inf)),
            finished=nothing,
            log=Log.blank(most_readings(batch, self.beam, limit, rows), rows, src),
        )

    def run(self, search: SearchState, step: Step, memory: Memory) -> SearchState:
        """Returns the search when every sentence is done; the last ones have fewer rows."""
        rows = search.log.tokens.shape[1]
        if rows // 4 >= FEWEST:
            left = rows // 4 // self.beam
            search = self._until(search, step, memory, rows=rows, left=left)
            rows = rows // 4
        return self._until(search, step, memory, rows=rows, left=0)

    def _until(
        self, search: SearchState, step: Step, memory: Memory, *, rows: int, left: int
    ) -> SearchState:
        """Returns the search when no more sentences than those `left` go on."""
        return lax.while_loop(
            lambda now: jnp.sum(~now.done) > left,
            lambda now: self.step(now, step, memory, rows=rows),
            search,
        )

    def step(self, search: SearchState, step: Step, memory: Memory, *, rows: int) -> SearchState:
        """Returns the search with one more token on live hypotheses, as many as there are rows."""
        live = search.live
        counts = jnp.where(search.done, 0, live.present.sum(axis=1))
        plan = Plan.of(counts, beam=self.beam, rows=rows)
        at = (plan.sentence, plan.place)
        before = jax.tree.map(lambda leaf: leaf[plan.sentence, live.parents[at]], search.model)
        theirs = jax.tree.map(lambda leaf: leaf[plan.sentence], memory)
        after, log_probs, attention = step(before, live.tokens[at], theirs)
        nowhere = jnp.where(plan.idle, len(counts), plan.sentence)
        candidates = self._candidates(search, plan, log_probs, attention)
        read = plan.read[:, 0]
        extended = self._select(search, candidates)
        live, finished, done = choose(
            read, extended, (search.live, search.finished, jnp.zeros_like(read))
        )
        return dataclasses.replace(
            search,
            clock=search.clock + 1,
            done=search.done | done,
            model=jax.tree.map(
                lambda whole, new: whole.at[nowhere, plan.place].set(new, mode="drop"),
                search.model,
                after,
            ),
            live=live,
            finished=finished,
            log=search.log.write(
                search.clock,
                tokens=search.live.tokens[at],
                origins=search.live.origins[at],
                attention=attention,
            ),
        )

    def finish(self, search: SearchState, *, limit: int) -> Hypotheses:
        """Returns the best hypotheses; unfinished ones fill the places that finished ones leave."""
        cut = search.live.best(self.beam, search.live.scores)
        paths = search.finished.join(cut)
        paths = take(paths, jnp.argsort(~paths.present, axis=1, stable=True)[:, : self.n_best])
        lengths = jnp.where(paths.present, paths.lengths, 0)
        paths = dataclasses.replace(paths, lengths=lengths)
        tokens, attention = search.log.trace(paths, limit)
        inside = jnp.arange(limit)[None, None, :] < lengths[:, :, None]
        return Hypotheses(
            tokens=jnp.where(inside, tokens, self.pad),
            lengths=lengths,
            log_probs=paths.log_probs,
            scores=paths.scores,
            attention=jnp.where(inside[..., None], attention, 0.0),
        )

    def _candidates(
        self,
        search: SearchState,
        plan: Plan,
        log_probs: Float[Array, "row vocab"],
        attention: Float[Array, "row src"],
    ) -> Paths:
        """Returns the best continuations of what was read, twice as many as the beam is wide.

        Of one hypothesis one more than the beam is wide are enough: at most one of them ends.
        """
        number = min(self.beam + 1, log_probs.shape[1])
        normaliser = jax.nn.logsumexp(log_probs, axis=1, keepdims=True)
        gained, tokens = largest(forbid(log_probs, self.bos, self.pad), number)
        before = jnp.where(plan.read, search.live.log_probs, -jnp.inf)
        totals = before[:, :, None] + (gained - normaliser)[plan.rows]
        best, places = lax.top_k(totals.reshape(len(totals), -1), 2 * self.beam)
        parents = places // number
        rows = jnp.take_along_axis(plan.rows, parents, axis=1)
        lengths = take(search.live.lengths, parents) + 1
        coverage = take(search.live.coverage, parents)
        if self.coverage:
            coverage = coverage + attention[rows]
        scores = normalise(best, lengths, kind=self.normalisation, alpha=self.alpha)
        if self.coverage:
            missed = coverage_penalty(coverage, search.source_mask)
            scores = jnp.where(best > -jnp.inf, scores + self.coverage * missed, -jnp.inf)
        return Paths(
            tokens=tokens[rows, places % number],
            parents=parents,
            origins=search.clock * search.log.tokens.shape[1] + rows,
            lengths=lengths,
            log_probs=best,
            scores=scores,
            coverage=coverage,
        )

    def _select(
        self, search: SearchState, candidates: Paths
    ) -> tuple[Paths, Paths, Bool[Array, " batch"]]:
        """Returns live and finished hypotheses, and which sentences are done with these."""
        ends = candidates.tokens == self.eos
        counted = ends & (jnp.arange(2 * self.beam)[None, :] < self.beam)
        finished = search.finished.join(candidates.only(counted))
        finished = finished.best(self.beam, finished.scores)
        live = candidates.only(~ends)
        live = live.best(self.beam, live.log_probs)
        longest = (candidates.lengths[:, 0] >= search.max_length) | (
            finished.log_probs.min(axis=1) >= live.log_probs[:, 0]
        )
        live = live.only(~self._given_up(search, live, finished))
        return live, finished, longest | ~live.present[:, 0]

    def _given_up(
        self, search: SearchState, live: Paths, finished: Paths
    ) -> Bool[Array, "batch beam"]:
        lengths = jnp.broadcast_to(search.max_length[:, None], live.lengths.shape)
        reachable = bound(live.log_probs, lengths, kind=self.normalisation, alpha=self.alpha)
        given_up = reachable <= finished.scores[:, self.n_best - 1 : self.n_best]
        if self.prune is not None:
            best = jnp.maximum(live.log_probs[:, :1], finished.log_probs.max(axis=1)[:, None])
            given_up |= live.log_probs < best - self.prune
        return given_up
