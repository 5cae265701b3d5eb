"""Phrases are found in what is written, whatever pieces spell it: compared with the text itself."""

import dataclasses
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scripted
from hypothesis import given
from hypothesis import strategies as st

from nmt.data.phrases import contains, contains_forbidden, contains_required
from nmt.inference.plans import Plan
from nmt.inference.rules import Rules
from nmt.inference.spelling import Spelling


@pytest.fixture(scope="module", params=[False, True], ids=["left to right", "right to left"])
def spelling(embedded_tokenizers, request):
    return Spelling(dataclasses.replace(embedded_tokenizers, reverse_target=request.param))


def text_of(spelling, tokens):
    """The translation that tokens write, with the spaces between its words as they are."""
    return spelling.turned("".join(spelling.texts[token] for token in tokens)).lstrip(" ")


def without_spaces(text):
    return text.replace(" ", "")


@st.composite
def texts(draw, spelling):
    """Draws tokens, and up to three phrases: parts of their text, or what may be near it."""
    known = [token for token, text in enumerate(spelling.texts) if text]
    few = draw(st.lists(st.sampled_from(known), min_size=1, max_size=3))  # so that they repeat
    blank = [token for token in known if spelling.texts[token] == " "]
    tokens = draw(st.lists(st.sampled_from([*few, *blank]), min_size=1, max_size=7))
    text = text_of(spelling, tokens)
    phrases = set()
    for _ in range(draw(st.integers(1, 3))):
        begin, end = sorted(draw(st.tuples(*[st.integers(0, len(text))] * 2)))
        change = draw(st.sampled_from([str, str.lower, str.upper, str.swapcase, without_spaces]))
        phrase = change(" ".join(text[begin:end].split()))
        phrases |= {phrase} if phrase and len(phrase) < 12 else set()
    return tokens, text, sorted(phrases)


def plan(spelling, **constraints):
    return Plan(
        spelling,
        prefix="",
        require=tuple(constraints.get("require", ())),
        forbid=tuple(constraints.get("forbid", ())),
        completes=True,
    )


@jax.jit
def met(required, ids):
    """Which phrases are there after the ids, of which those below zero are not read."""

    def read(active, token):
        return jnp.where(token < 0, active, required.phrases.read(active, token[None])), None

    active, _ = jax.lax.scan(read, required.phrases.start(), ids)
    return required.are_met(active, ends=True)[0]


@partial(jax.jit, static_argnames="vocabulary")
def allowed(forbidden, ids, *, vocabulary):
    """Whether each of the ids behind the first may be written; below zero there are none."""

    def read(state, pair):
        last, token = pair
        state, log_probs = forbidden(state, last[None], jnp.zeros((1, vocabulary)))
        return state, (log_probs[0, token] == 0) | (token < 0)

    return jax.lax.scan(read, forbidden.start(1, len(ids)), (ids[:-1], ids[1:]))[1].all()


def padded(*ids):
    return jnp.array([*ids, *[-1] * (9 - len(ids))])


@given(data=st.data())
def test_a_required_phrase_is_met_if_and_only_if_the_text_has_it(spelling, data):
    tokens, text, phrases = data.draw(texts(spelling))
    if not phrases:
        return
    (required,) = [Rules.of([plan(spelling, require=phrases)], 1).required]

    there = np.asarray(met(required, padded(spelling.tokenizer.bos, *tokens)))[: len(phrases)]

    # A model from right to left cannot know the beginning of the text, where a capital may stand.
    has = contains if spelling.mirrored else contains_required
    assert there.tolist() == [has(text, phrase) for phrase in phrases]


@given(data=st.data())
def test_a_text_is_forbidden_if_and_only_if_it_has_a_phrase(spelling, data):
    tokens, text, phrases = data.draw(texts(spelling))
    if not phrases:
        return
    ((forbidden,), *_) = Rules.of([plan(spelling, forbid=phrases)], 1)

    special = spelling.tokenizer
    ids = padded(special.bos, *tokens, special.eos)
    has = any(contains_forbidden(text, phrase) for phrase in phrases)

    assert allowed(forbidden, ids, vocabulary=special.size) != has


@pytest.fixture(scope="module")
def small():
    return Spelling(scripted.pieces())


@pytest.mark.parametrize(
    ("pieces", "phrase", "has"),
    [
        ("▁ba", "ba", True),
        ("▁ba", "b", False),  # a part of a word
        ("▁ba", "a", False),
        ("▁a b", "ab", True),
        ("▁ a b", "ab", True),
        ("▁a b a", "ab", False),
        ("▁ba b", "ba", False),
        ("▁a ▁ba", "a", True),
        ("▁a ▁ba", "ba", True),
        ("▁ b ▁a", "ba", False),  # two words
        ("▁a ▁ b", "ab", False),
        ("▁a ▁ b", "a b", True),
        ("▁a b a ▁ba", "ba", True),  # written wholly only later
        ("▁a ▁a ▁ba", "a ba", True),  # begins again before it fails
        ("▁a b ▁a b ▁ba", "ab ab ba", True),
        ("▁a b ▁a b ▁a b ▁ba", "ab ab ba", True),
        ("▁ba ▁a", "a ba", False),
    ],
)
def test_a_phrase_is_there_as_whole_words(small, pieces, phrase, has):
    ids = small.tokenizer.ids(pieces.split())
    required = Rules.of([plan(small, require=[phrase])], 1).required
    ((forbidden,), *_) = Rules.of([plan(small, forbid=[phrase])], 1)
    special = small.tokenizer

    assert met(required, padded(special.bos, *ids)).all() == has
    read = padded(special.bos, *ids, special.eos)
    assert allowed(forbidden, read, vocabulary=special.size) != has
