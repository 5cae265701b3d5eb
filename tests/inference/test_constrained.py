"""Searches with constraints, compared with all that random tables of a few pieces can write."""

import io
import re
import unicodedata
from functools import partial

import jax
import numpy as np
import pytest
import scripted
import sentencepiece

from nmt.config import TrainedTokenizerConfig
from nmt.data import tokenizer_training
from nmt.data.constraints import Constraints
from nmt.data.phrases import contains_forbidden, contains_required
from nmt.data.tokenizer import Tokenizer
from nmt.data.tokenizers import Tokenizers
from nmt.inference.plans import Plan
from nmt.inference.rules import Arrays, Rules
from nmt.inference.search import FEWEST
from nmt.inference.spelling import Spelling

LENGTH = 5  # of a translation, with its end
SEEDS, SENTENCES = (1,), (3, 77)


@pytest.fixture(scope="module")
def small():
    return scripted.pieces()


@pytest.fixture(scope="module")
def target(small):
    return small.target


@pytest.fixture(scope="module")
def written(target):
    """The tokens that translations consist of: `▁ba ▁a ▁ b a`."""
    return [token for token in range(target.size) if token not in special(target)]


def special(target):
    return {target.pad, target.unk, target.bos, target.eos}


def rules(small, *constraints):
    spelling = Spelling.of(small)
    return Rules.of([Plan.of(each, spelling) for each in constraints], len(constraints))


# Of each prefix, by hand: the pieces that are forced, and what the raw text goes on with.
PREFIXES = {
    "": ("", r""),
    "a": ("", r" a"),
    "b": ("", r" b"),
    "a ": ("▁a", r"(?!\w)"),
    "a b": ("▁a", r" b"),
    "ba b": ("▁ba", r" b"),
    "ba a ": ("▁ba ▁a", r"(?!\w)"),
    "bab": ("", r" bab"),
}


def satisfies(target, tokens, constraints):
    """Whether a translation satisfies constraints, by its text alone but for what is forced."""
    forced, rest = PREFIXES[constraints.prefix]
    pieces = target.pieces(tokens[:-1])
    first, behind = pieces[: len(forced.split())], pieces[len(forced.split()) :]
    if first != forced.split() or not re.match(rest, "".join(behind).replace("▁", " ")):
        return False
    text = "".join(pieces).replace("▁", " ").lstrip(" ")
    required = all(contains_required(text, phrase) for phrase in constraints.require)
    return required and not any(contains_forbidden(text, each) for each in constraints.forbid)


@pytest.fixture(scope="module")
def every(target, written):
    """All that each table can write for each sentence, best first."""
    return {
        (seed, sentence): scripted.everything(
            scripted.Tables.drawn(seed, vocabulary=target.size),
            sentence,
            written,
            LENGTH,
            bos=target.bos,
            eos=target.eos,
        )
        for seed in SEEDS
        for sentence in SENTENCES
    }


CASES = [
    Constraints(prefix="a"),
    Constraints(prefix="a "),
    Constraints(prefix="ba b"),
    Constraints(prefix="ba a "),
    Constraints(prefix="bab"),
    Constraints(forbid=["a"]),
    Constraints(forbid=["ba", "a a"]),
    Constraints(forbid=["a", "b", "ba", "ab"]),
    Constraints(require=["a"]),
    Constraints(require=["ab"]),
    Constraints(require=["a ba"]),
    Constraints(require=["ba", "a"]),
    Constraints(require=["a ba", "ba a"]),  # they may overlap
    Constraints(require=["bab", "ba"]),  # one begins as the other
    Constraints(require=["a", "b"], forbid=["b a"]),
    Constraints(prefix="b", require=["ba"], forbid=["a"]),
    Constraints(prefix="a b", require=["b a"]),
]


@pytest.mark.parametrize("wanted", CASES, ids=str)
def test_a_beam_that_holds_all_finds_the_best_that_satisfies_the_constraints(
    small, target, every, wanted
):
    for seed in SEEDS:
        tables = scripted.Tables.drawn(seed, vocabulary=target.size)
        search = partial(scripted.found, length=LENGTH, target=target, beam=5**4)

        found = search(tables, SENTENCES, rules(small, wanted, wanted))

        for row, sentence in enumerate(SENTENCES):
            fitting = (each for each in every[seed, sentence] if satisfies(target, each[1], wanted))
            score, tokens = next(fitting)
            assert found.tokens[row, 0, : found.lengths[row, 0]].tolist() == list(tokens)
            np.testing.assert_allclose(found.scores[row, 0], score, rtol=1e-5)


def test_the_only_word_of_a_prefix_may_be_completed_where_it_is_forbidden(small):
    wanted = Constraints(prefix="a", forbid=["a"])

    assert Plan.of(wanted, Spelling.of(small)).impossible(LENGTH) is None


@pytest.mark.parametrize("space", [" ", "\t", "\n", "\u00a0", "\u3000"])
def test_any_space_behind_a_prefix_completes_its_last_word(small, space):
    plan = Plan.of(Constraints(prefix=f"a ba{space}"), Spelling.of(small))

    assert (plan.prefix, plan.completes) == ("a ba", False)


def foreign(**options):
    """Returns the spelling of a model of SentencePiece with its own rules for characters."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["a ba a", "ba ba a b"] * 9), model_writer=model, vocab_size=9,
        hard_vocab_limit=False, minloglevel=3, **options,
    )  # fmt: skip
    tokenizer = Tokenizer(model.getvalue())
    return Spelling(Tokenizers(tokenizer, tokenizer))


def test_a_forbidden_phrase_of_invisible_characters_forbids_nothing():
    plan = Plan.of(Constraints(prefix="a", forbid=["\u200b", "b"]), foreign())

    assert plan.forbid == ("b",)
    assert plan.impossible(LENGTH) is None


@pytest.mark.parametrize(("form", "different"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_phrases_are_in_the_unicode_form_that_the_model_has_read(form, different):
    lines = [unicodedata.normalize(form, line) for line in ("ilé ọ́ ilé", "ọ́ ilé ọ́")] * 9
    config = TrainedTokenizerConfig(kind="bpe", vocabulary_size=270)
    spelling = Spelling(tokenizer_training.train(lines, lines, config))
    own, other = (unicodedata.normalize(each, "ilé") for each in (form, different))

    plan = Plan.of(Constraints(f"{other} ", require=[other], forbid=[f"{other} {other}"]), spelling)

    assert (plan.prefix, plan.require) == (own, (own,))
    assert set(plan.forbid) == {f"{own} {own}", f"{other} {other}"}


@pytest.mark.parametrize(("byte_fallback", "prefix_is_spelled"), [(True, True), (False, False)])
def test_bytes_spell_a_prefix_and_no_phrase(byte_fallback, prefix_is_spelled):
    lines = ["a ba a", "ba ba a b"] * 9
    config = TrainedTokenizerConfig(
        kind="bpe", vocabulary_size=9 + 256 * byte_fallback, byte_fallback=byte_fallback
    )
    spelling = Spelling(tokenizer_training.train(lines, lines, config))

    phrase = Plan.of(Constraints(require=["a", "ü"]), spelling).impossible(LENGTH)
    prefix = Plan.of(Constraints(prefix="ü "), spelling).impossible(LENGTH)

    assert phrase == "no pieces of the model spell 'ü'"
    assert (prefix is None) == prefix_is_spelled


def test_a_word_may_follow_a_prefix_whose_pieces_end_with_a_space():
    plan = Plan.of(Constraints(prefix="a ba "), foreign(treat_whitespace_as_suffix=True))

    completion = Arrays(plan.spelling, 1).completion([plan])

    assert completion.begins == completion.ends  # nothing of the prefix is left


def test_few_short_phrases_have_arrays_of_the_same_sizes(small):
    short = rules(small, Constraints(require=["a"], forbid=["b"]))
    longer = rules(small, Constraints(require=["a ba", "ba a"], forbid=["ab a b", "bab"]))

    shapes = [[leaf.shape for leaf in jax.tree.leaves(each)] for each in (short, longer)]
    assert shapes[0] == shapes[1]


def test_a_sentence_has_its_constraints_alone_and_in_a_batch_that_others_leave(small, target):
    tables = scripted.Tables.drawn(5, vocabulary=target.size)
    wanted, sentences = [*CASES, Constraints()] * 2, range(2 * len(CASES) + 2)
    search = partial(scripted.found, tables, length=12, target=target, beam=4, limit=12)

    together = search(sentences, rules(small, *wanted))

    assert len(sentences) >= 2 * FEWEST
    for row in (0, 4, 9, 15, 16, 30, 33):
        others = [Constraints("b a", ["a"], ["ab"])] * (len(wanted) - 1)
        alone = search([row] * len(wanted), rules(small, wanted[row], *others))
        assert together.tokens[row, 0].tolist() == alone.tokens[0, 0].tolist()
        np.testing.assert_allclose(together.scores[row], alone.scores[0], rtol=1e-5)
        np.testing.assert_allclose(
            together.token_log_probs[row, 0], alone.token_log_probs[0, 0], atol=1e-5
        )
