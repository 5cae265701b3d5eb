"""Scripted models for search, and two searches in plain Python that know its promise alone."""

import itertools
from dataclasses import dataclass, field
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from nmt.inference.beam import BeamSearch
from nmt.inference.predictor import Source
from nmt.inference.processors import Forbid
from nmt.inference.ranking import Ranking
from nmt.inference.search import Search, Settings

PAD, BOS, EOS = 0, 1, 2
SPECIALS = {"bos": BOS, "eos": EOS, "pad": PAD}
PROCESSORS = (Forbid((BOS, PAD)),)
SRC = 3
MASK = (True, True, False)  # the last position is padding
ROWS = 997  # a prime, so that prefixes spread over the table

# Of each kind k and alpha of lp(n) = ((k + n) / (k + 1)) ** alpha.
PENALTIES = {"none": (0, 0.0), "average": (0, 1.0), "root": (0, 0.5), "gnmt": (5, 0.9)}


class TableModel:
    """Random tables, read at a row that depends on the sentence and the whole prefix.

    Each row has one likely token, and the end has a chance of its own: the rarer it is, the longer
    the hypotheses that compete, short ones of few unlikely tokens with long ones of many likely.
    """

    def __init__(self, seed, vocab=6, *, ends=1.0):
        rng = np.random.default_rng(seed)
        probabilities = rng.dirichlet(np.full(vocab, 0.3), size=ROWS) + 1e-4
        probabilities[:, EOS] *= ends
        probabilities /= probabilities.sum(axis=1, keepdims=True)
        self.log_probs = np.log(probabilities).astype(np.float32)
        self.attention = rng.dirichlet(np.ones(SRC), size=ROWS).astype(np.float32)

    @staticmethod
    def next_row(row, token):
        return (row * 31 + token * 7 + 5) % ROWS

    def start(self, sentence):
        return Hypothesis(row=self.next_row(sentence, BOS))

    def extended(self, before, token):
        return Hypothesis(
            row=self.next_row(before.row, token),
            tokens=(*before.tokens, token),
            log_prob=before.log_prob + float(self.log_probs[before.row, token]),
            attention=before.attention + self.attention[before.row],
        )

    def replay(self, sentence, tokens):
        """Returns the log-probability of each token and the attention it was predicted with."""
        row, log_probs, attention = sentence, [], []
        for previous, token in zip((BOS, *tokens), tokens, strict=False):
            row = self.next_row(row, previous)
            log_probs.append(self.log_probs[row, token])
            attention.append(self.attention[row])
        return np.array(log_probs, np.float64), np.array(attention)

    def search(
        self,
        sentences,
        max_length,
        *,
        beam=None,
        strategy=None,
        limit=8,
        penalty="average",
        beta=0.0,
        patience=None,
        prune=None,
        **options,
    ):
        k, alpha = PENALTIES[penalty]
        strategy = strategy or plain_beam(beam, patience=patience, prune=prune)
        settings = Settings(strategy, Ranking(k=float(k), alpha=alpha, beta=beta))
        found = _run(
            (self.log_probs, self.attention),
            jnp.array(sentences),
            jnp.array(max_length),
            settings,
            limit=limit,
            covers=beta > 0,
            **options,
        )
        return jax.tree.map(np.asarray, found)


def plain_beam(width, *, patience=None, prune=None):
    numbers = {"patience": patience, "prune": prune}
    given = {name: float(value) for name, value in numbers.items() if value is not None}
    return BeamSearch(width, **given)


def table_step(tables):
    log_probs, attention = tables

    def step(rows, tokens, encoded):
        rows = TableModel.next_row(rows, tokens)
        return rows, log_probs[rows], attention[rows]

    return step


@partial(jax.jit, static_argnames=("limit", "covers", "n_best"))
def _run(tables, sentences, max_length, settings, *, limit, covers, n_best):
    search = Search(n_best=n_best, covers=covers, **SPECIALS)
    mask = jnp.tile(jnp.array(MASK)[None, :], (len(sentences), 1))
    start = table_step(jax.tree.map(jnp.asarray, tables)), sentences, ()
    source = Source(sentences[:, None], jnp.ones(len(sentences), jnp.int32))
    return search(
        *start,
        settings,
        processors=PROCESSORS,
        max_length=max_length,
        limit=limit,
        source_mask=mask,
        keys=source.keys(settings.strategy.seed),
    )


@dataclass(frozen=True)
class Hypothesis:
    """What the searches below extend: a prefix, and what it adds up to."""

    row: int
    tokens: tuple = ()
    log_prob: float = 0.0
    attention: np.ndarray = field(default_factory=lambda: np.zeros(SRC))

    @property
    def ended(self):
        return self.tokens[-1:] == (EOS,)


def score(hypothesis, *, penalty, beta):
    """Wu et al. (2016), equation 14: log p / lp + beta * cp."""
    k, alpha = PENALTIES[penalty]
    length = len(hypothesis.tokens)
    coverage = sum(
        np.log(min(c, 1.0)) for c, real in zip(hypothesis.attention, MASK, strict=True) if real
    )
    return hypothesis.log_prob / ((k + length) / (k + 1)) ** alpha + beta * coverage


def all_sequences(model, sentence, length, *, penalty, beta=0.0):
    """Returns (score, tokens) of all sequences that end, best first, then of all that are cut."""
    words = range(3, model.log_probs.shape[1])
    prefixes = [model.start(sentence)]
    ended, cut = [], []
    for _ in range(length):
        ended += [model.extended(prefix, EOS) for prefix in prefixes]
        prefixes = [model.extended(*pair) for pair in itertools.product(prefixes, words)]
    cut = prefixes
    return ranked(ended, cut, penalty=penalty, beta=beta)


def ranked(*groups, penalty, beta):
    """Returns (score, tokens) of each hypothesis: of one group after the other, best first."""
    return [
        pair
        for group in groups
        for pair in sorted(
            ((score(each, penalty=penalty, beta=beta), each.tokens) for each in group),
            reverse=True,
        )
    ]


def reachable(model, sentence, length, *, beam, prune=None):
    """Yields what a beam finishes at each of `length` steps, and last of all what is cut.

    It is never stopped, and gives nothing up but by `prune`.
    """
    words = [EOS, *range(3, model.log_probs.shape[1])]
    live = [model.start(sentence)]
    for _ in range(length):
        candidates = [model.extended(each, word) for each in live for word in words]
        candidates.sort(key=lambda each: -each.log_prob)
        yield [each for each in candidates[:beam] if each.ended]
        live = [each for each in candidates if not each.ended][:beam]
        if prune is not None:
            most = max(each.log_prob for each in live)
            live = [each for each in live if each.log_prob >= most - prune]
    yield live


def beam_search(
    model, sentence, length, *, beam, n_best, penalty, beta=0.0, prune=None, patience=None
):
    """Returns (score, tokens) of the best of what a beam can reach, best first, then of the cut."""
    if length == 0:
        return []
    *steps, cut = reachable(model, sentence, length, beam=beam, prune=prune)
    finished = []
    for ended in steps:
        finished += ended
        if patience is not None and len(finished) >= patience * beam:
            cut = []
            break
    return ranked(finished, cut, penalty=penalty, beta=beta)[:n_best]


def assert_found(found, row, expected, *, beyond=()):
    """The hypotheses of a row are the expected (score, tokens), in order, and no others.

    Of equal scores, of which one may be that of what comes next, `beyond`, the order is open.
    """
    places, limit = found.tokens.shape[1:]
    absent = places - len(expected)
    scores = [value for value, _ in expected] + [-np.inf] * absent
    np.testing.assert_allclose(found.scores[row], scores, rtol=2e-5, atol=1e-5)
    ordered = [np.inf, *(value for value, _ in (*expected, *beyond)), -np.inf]
    for place, (value, tokens) in enumerate(expected):
        if min(ordered[place] - value, value - ordered[place + 2]) > 1e-6:
            assert found.tokens[row, place].tolist() == [*tokens, *[PAD] * (limit - len(tokens))]
            assert found.lengths[row, place] == len(tokens)
    assert not found.tokens[row, len(expected) :].any()
    assert not found.lengths[row, len(expected) :].any()
