"""A predictor of random tables over a few pieces, and all that it can write, in plain Python."""

import itertools
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from nmt.config import TrainedTokenizerConfig
from nmt.data import tokenizer_training
from nmt.inference.beam import BeamSearch
from nmt.inference.compiled import SearchInputs, Sentences, search
from nmt.inference.predictor import Source
from nmt.inference.processors import Forbid
from nmt.inference.ranking import Ranking
from nmt.inference.search import Search, Settings

ROWS = 997  # a prime, so that prefixes spread over the tables
TEXT = ["ab ba a b aab bba", "a ab b ba", "abab", "ba ba"] * 3


def pieces():
    """Returns tokenizers of `▁ba ▁a ▁ b a`, which spell most words in several ways."""
    config = TrainedTokenizerConfig(vocabulary_size=9, byte_fallback=False)
    return tokenizer_training.train(TEXT, TEXT, config)


@struct.dataclass
class Tables:
    """The probabilities of the next token, in a row that all tokens before it decide."""

    log_probs: jax.Array
    attention: jax.Array

    @classmethod
    def drawn(cls, seed, *, vocabulary, src=1):
        """Returns random tables, in each row of which few tokens are likely."""
        rng = np.random.default_rng(seed)
        log_probs = np.log(rng.dirichlet(np.full(vocabulary, 0.4), size=ROWS) + 1e-4)
        attention = rng.dirichlet(np.ones(src), size=ROWS)
        return cls(*(jnp.array(each, jnp.float32) for each in (log_probs, attention)))

    def predictor(self, *, seed=None, common=None):
        return self

    def start(self, source):
        return (), jnp.asarray(source.tokens)[:, 0]

    def step(self, state, tokens, encoded):
        state = (state * 31 + tokens * 7 + 5) % ROWS
        return state, self.log_probs[state], self.attention[state]

    def read(self, state, tokens, lengths, encoded, *, bos):
        found = []
        for time in range(tokens.shape[1]):
            previous = tokens[:, time - 1] if time else jnp.full(len(tokens), bos)
            after, log_probs, attention = self.step(state, previous, ())
            state = jnp.where(time < lengths, after, state)
            found.append((log_probs[jnp.arange(len(tokens)), tokens[:, time]], attention))
        return state, *(jnp.stack(each, axis=1) for each in zip(*found, strict=True))

    def force(self, source, target, *, bos):
        lengths = jnp.full(len(target), target.shape[1])
        return self.read(self.start(source)[1], target, lengths, (), bos=bos)[1:]


def everything(tables, sentence, tokens, length, *, bos, eos):
    """Returns (mean log-probability, tokens) of all sequences of `tokens` that end, best first."""
    log_probs, found = np.asarray(tables.log_probs, np.float64), []
    texts = (itertools.product(tokens, repeat=size) for size in range(length))
    for text in itertools.chain.from_iterable(texts):
        row, total, before = sentence, 0.0, bos
        for token in (*text, eos):
            row = (row * 31 + before * 7 + 5) % ROWS
            total, before = total + log_probs[row, token], token
        found.append((total / (len(text) + 1), (*text, eos)))
    return sorted(found, reverse=True)


def found(tables, sentences, rules, *, length, target, beam, n_best=1, limit=8, patience=np.inf):
    """Returns the hypotheses of a search by rules of constraints."""
    run = Search(n_best=n_best, bos=target.bos, eos=target.eos, pad=target.pad)
    settings = Settings(BeamSearch(beam, patience=patience), Ranking(k=0.0, alpha=1.0, beta=0.0))
    forbidden = Forbid((target.bos, target.pad, target.unk))
    rows = Sentences(
        Source(np.array(sentences)[:, None], np.ones(len(sentences), np.int32)),
        np.full(len(sentences), length),
        (forbidden, *rules.processors),
        rules.required,
        rules.prefix,
    )
    return jax.tree.map(
        np.asarray, _run(SearchInputs(tables, settings), rows, rules=run, limit=limit)
    )


_run = partial(jax.jit, static_argnames=("rules", "limit"))(search)
