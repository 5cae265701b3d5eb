"""Beam search: `init`, then `step` until every sentence is done, then `finish`.

Nothing but the model's state moves from place to place in the beam while it runs. Tokens and
attention are written down where they arise, and back-pointers collect those of the best hypotheses
at the end. Sentences that are done leave the batch as soon as they are half of it.
"""

import dataclasses

import jax
import jax.numpy as jnp
from flax import struct
from jax import lax
from jaxtyping import Array, Bool, Float, Int, PyTree

from nmt.decoding.hypotheses import (
    Hypotheses,
    Memory,
    Normalisation,
    State,
    Step,
    bound,
    expand,
    forbid,
    largest,
    normalise,
)


def search(
    step: Step,
    state: State,
    memory: Memory,
    *,
    beam: int,
    max_length: Int[Array, " batch"],
    limit: int,
    source_length: int,
    bos: int,
    eos: int,
    pad: int,
    normalisation: Normalisation,
    alpha: float,
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
        source_length: the size of the attention's axis src.
        bos: the token that every hypothesis starts from; like `pad` it is never generated.
        eos: the token that ends a hypothesis.
        pad: what follows the end in the tokens returned.
        normalisation: how lengths are made comparable, see `normalise`.
        alpha: its exponent.
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
    )
    start = rules.init(state, max_length, limit=limit, source_length=source_length)
    return rules.finish(rules.run(start, step, memory))


SMALLEST = 32  # a batch so small is not made smaller: each size is compiled for itself


@struct.dataclass
class Paths:
    """Hypotheses of each sentence, known by their last token and what they extend.

    An absent one has score -inf.
    """

    tokens: Int[Array, "batch path"]
    parents: Int[Array, "batch path"]  # the place in the beam that the last token was added to
    lengths: Int[Array, "batch path"]
    log_probs: Float[Array, "batch path"]
    scores: Float[Array, "batch path"]


@struct.dataclass
class History:
    """What was at each place of the beam at each time."""

    tokens: Int[Array, "batch limit beam"]  # the token read
    parents: Int[Array, "batch limit beam"]  # the place of the hypothesis one step earlier
    attention: Float[Array, "batch limit beam src"]  # for the token that came next


@struct.dataclass
class SearchState:
    """What the loop carries. `live` and `finished` are best first, and stay once `done`."""

    time: Int[Array, " batch"]  # tokens that live hypotheses have, the same for all that go on
    max_length: Int[Array, " batch"]
    done: Bool[Array, " batch"]
    model: State
    live: Paths
    finished: Paths
    history: History


@dataclasses.dataclass(frozen=True)
class BeamSearch:
    """The rules of a search.

    At each time the 2 `beam` best continuations of a sentence are candidates, so that `beam` of
    them live on however many end. One that ends counts only among the `beam` best of all: a beam
    of 1 is greedy search, and a beam that holds all sequences finds the best of all.

    A sentence is done at its maximum length; when `beam` hypotheses have finished and no live one
    is more probable than any of them; or when no live one can still be among the `n_best`. The
    last changes nothing but the time taken.
    """

    beam: int
    n_best: int
    bos: int
    eos: int
    pad: int
    normalisation: Normalisation
    alpha: float

    def init(
        self, state: State, max_length: Int[Array, " batch"], *, limit: int, source_length: int
    ) -> SearchState:
        """Returns the search before the first token: one live hypothesis for each sentence."""
        places = (max_length.shape[0], self.beam)
        max_length = jnp.minimum(max_length, limit)
        nothing = Paths(
            tokens=jnp.full(places, self.bos, jnp.int32),
            parents=jnp.zeros(places, jnp.int32),
            lengths=jnp.zeros(places, jnp.int32),
            log_probs=jnp.full(places, -jnp.inf),
            scores=jnp.full(places, -jnp.inf),
        )
        first = jnp.full(places, -jnp.inf).at[:, 0].set(jnp.where(max_length > 0, 0.0, -jnp.inf))
        return SearchState(
            time=jnp.zeros(places[0], jnp.int32),
            max_length=max_length,
            done=max_length <= 0,
            model=expand(state, self.beam),
            live=dataclasses.replace(nothing, log_probs=first, scores=first),
            finished=nothing,
            history=History(
                tokens=jnp.zeros((places[0], limit, self.beam), jnp.int32),
                parents=jnp.zeros((places[0], limit, self.beam), jnp.int32),
                attention=jnp.zeros((places[0], limit, self.beam, source_length)),
            ),
        )

    def run(self, search: SearchState, step: Step, memory: Memory) -> SearchState:
        """Returns the search when every sentence is done.

        When no more than half of a batch goes on, that half goes on alone, as a smaller batch.
        """
        batch = search.done.shape[0]
        enough = batch // 2 if batch > SMALLEST else 0
        search = lax.while_loop(
            lambda now: jnp.sum(~now.done) > enough,
            lambda now: self.step(now, step, memory),
            search,
        )
        if not enough:
            return search
        going = jnp.argsort(search.done, stable=True)[:enough]
        rest, theirs = jax.tree.map(lambda leaf: leaf[going], (search, memory))
        rest = self.run(rest, step, theirs)
        return jax.tree.map(lambda whole, part: whole.at[going].set(part), search, rest)

    def step(self, search: SearchState, step: Step, memory: Memory) -> SearchState:
        """Returns the search with one more token on every live hypothesis."""
        model, log_probs, attention = step(search.model, search.live.tokens, memory)
        now = search.time[0]
        candidates = self._candidates(search, log_probs)
        ends = candidates.tokens == self.eos
        counted = ends & (jnp.arange(2 * self.beam)[None, :] < self.beam)
        live = _best(_only(candidates, ~ends), self.beam)
        finished = _best(_join(search.finished, _only(candidates, counted)), self.beam)
        live, finished = _where(
            search.done[:, None], (search.live, search.finished), (live, finished)
        )
        return dataclasses.replace(
            search,
            time=search.time + 1,
            done=search.done | self._done(search, live, finished),
            model=_take(model, live.parents),
            live=live,
            finished=finished,
            history=History(
                tokens=search.history.tokens.at[:, now].set(search.live.tokens),
                parents=search.history.parents.at[:, now].set(search.live.parents),
                attention=search.history.attention.at[:, now].set(attention),
            ),
        )

    def finish(self, search: SearchState) -> Hypotheses:
        """Returns the best hypotheses; unfinished ones fill the places that finished ones leave."""
        paths = _join(search.finished, search.live)
        order = jnp.argsort(jnp.isneginf(paths.scores), axis=1, stable=True)
        paths = _take(paths, order[:, : self.n_best])
        lengths = jnp.where(jnp.isneginf(paths.scores), 0, paths.lengths)
        tokens, attention = _trace(dataclasses.replace(paths, lengths=lengths), search.history)
        inside = jnp.arange(tokens.shape[-1])[None, None, :] < lengths[:, :, None]
        return Hypotheses(
            tokens=jnp.where(inside, tokens, self.pad),
            lengths=lengths,
            log_probs=paths.log_probs,
            scores=paths.scores,
            attention=jnp.where(inside[..., None], attention, 0.0),
        )

    def _candidates(
        self, search: SearchState, log_probs: Float[Array, "batch beam vocab"]
    ) -> Paths:
        """Returns the best continuations of live hypotheses, twice as many as the beam is wide."""
        batch, _, vocab = log_probs.shape
        totals = forbid(log_probs, self.bos, self.pad) + search.live.log_probs[:, :, None]
        best, places = largest(totals.reshape(batch, -1), 2 * self.beam)
        lengths = jnp.broadcast_to(search.time[:, None] + 1, best.shape)
        return Paths(
            tokens=places % vocab,
            parents=places // vocab,
            lengths=lengths,
            log_probs=best,
            scores=normalise(best, lengths, kind=self.normalisation, alpha=self.alpha),
        )

    def _done(self, search: SearchState, live: Paths, finished: Paths) -> Bool[Array, " batch"]:
        reachable = bound(
            live.log_probs[:, :1],
            search.max_length[:, None],
            kind=self.normalisation,
            alpha=self.alpha,
        )[:, 0]
        return (
            (search.time + 1 >= search.max_length)
            | (finished.log_probs.min(axis=1) >= live.log_probs[:, 0])
            | (finished.scores[:, self.n_best - 1] >= reachable)
        )


def _trace(
    paths: Paths, history: History
) -> tuple[Int[Array, "batch path limit"], Float[Array, "batch path limit src"]]:
    """Follows each path back to its first token; what lies beyond its length is arbitrary."""

    def back(
        cursor: tuple[Array, Array], moment: tuple[Array, Array, Array, Array]
    ) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
        tokens, places = cursor
        time, read, parents, attention = moment
        earlier = _take((read, parents), places)
        return _where(time < paths.lengths, earlier, cursor), (tokens, _take(attention, places))

    times = jnp.arange(history.tokens.shape[1])
    moments = (times, *jax.tree.map(lambda leaf: leaf.swapaxes(0, 1), jax.tree.leaves(history)))
    _, (tokens, attention) = lax.scan(back, (paths.tokens, paths.parents), moments, reverse=True)
    return jnp.moveaxis(tokens, 0, 2), jnp.moveaxis(attention, 0, 2)


def _take(tree: PyTree, places: Int[Array, "batch path"]) -> PyTree:
    """Returns the hypotheses at the places, for every leaf of axes (batch, beam, ...)."""
    return jax.tree.map(lambda leaf: jax.vmap(lambda row, place: row[place])(leaf, places), tree)


def _only(paths: Paths, wanted: Bool[Array, "batch path"]) -> Paths:
    return dataclasses.replace(
        paths,
        log_probs=jnp.where(wanted, paths.log_probs, -jnp.inf),
        scores=jnp.where(wanted, paths.scores, -jnp.inf),
    )


def _best(paths: Paths, number: int) -> Paths:
    return _take(paths, lax.top_k(paths.scores, number)[1])


def _join(first: Paths, second: Paths) -> Paths:
    return jax.tree.map(lambda *leaves: jnp.concatenate(leaves, axis=1), first, second)


def _where(condition: Bool[Array, "batch _"], chosen: PyTree, otherwise: PyTree) -> PyTree:
    return jax.tree.map(lambda *leaves: jnp.where(condition, *leaves), chosen, otherwise)
