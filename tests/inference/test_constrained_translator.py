"""Translators with constraints: of a model that copies letters, from left to right and back."""

import warnings
from itertools import pairwise

import numpy as np
import pytest

import nmt
from nmt.data.phrases import contains
from nmt.errors import DataError
from nmt.inference import shortlist
from nmt.inference.translator import Translator


@pytest.fixture(scope="module")
def translator(copy_run):
    return Translator.load(copy_run)


LINES = ["a b c", "d e f g", "h", "", "a a b b c"]
CONSTRAINTS = [
    {"prefix": "a c"},
    {"require": ["h", "a b"]},
    {},
    {"forbid": ["a"], "prefix": "b"},  # nothing to translate
    {"forbid": ["a", "b"]},
]


def constraints(*given):
    return [nmt.Constraints(**each) for each in given]


def satisfied(text, given):
    return (
        text.startswith(given.prefix)
        and all(contains(text, phrase) for phrase in given.require)
        and not any(contains(text, phrase) for phrase in given.forbid)
    )


def test_each_line_satisfies_its_own_constraints_whatever_the_batch(translator):
    given = constraints(*CONSTRAINTS)

    together = translator.translate(LINES, constraints=given)
    turned = translator.translate(LINES[::-1], constraints=given[::-1])[::-1]

    for line, own, one, two in zip(LINES, given, together, turned, strict=True):
        alone = translator.translate(line, constraints=own)
        assert one.source == line
        assert one.text == two.text == alone.text
        assert one.score == pytest.approx(alone.score, abs=1e-5)
        np.testing.assert_allclose(one.attention, alone.attention, atol=1e-5)
        assert satisfied(one.text, own) if line else one.text == ""
    plain = translator.translate(LINES)
    assert together[2].text == plain[2].text
    assert [each.text for each in together] != [each.text for each in plain]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"prefix": "a b"}, "a b c d"),
        ({"prefix": "a b "}, "a b c d"),
        ({"prefix": "a"}, "a b c d"),
        ({"prefix": "  a b c d "}, "a b c d"),
        ({"prefix": "a b c d"}, "a b c d"),
        ({"require": ["b c", "c d"]}, "a b c d"),
        ({"forbid": ["b b", "cd", "e"]}, "a b c d"),
        ({"prefix": "a", "require": ["d"], "forbid": ["ab"]}, "a b c d"),
    ],
)
def test_constraints_that_the_best_translation_satisfies_change_nothing(
    translator, given, expected
):
    found = translator.translate("a b c d", constraints=nmt.Constraints(**given))
    plain = translator.translate("a b c d")

    assert found.text == plain.text == expected
    assert found.log_prob == pytest.approx(plain.log_prob, abs=1e-4)
    np.testing.assert_allclose(found.attention, plain.attention, atol=1e-4)


@pytest.mark.parametrize(
    ("several", "settings"),
    [
        (False, {"coverage_penalty": 0.3}),
        (False, {"beam": 1}),
        (True, {"beam": 2, "prune": 9.0, "patience": None}),
    ],
    ids=str,
)
def test_forcing_what_was_found_gives_its_score_and_attention(
    copy_run, noisy_run, settings, several
):
    translator = Translator.load([copy_run, noisy_run] if several else copy_run, **settings)
    found = translator.translate(LINES, constraints=constraints(*CONSTRAINTS))
    real = [each for each in found if each.target_pieces]
    tokenizers = translator.tokenizers
    pairs = [  # of pieces: other ones might spell the same text
        (tokenizers.source.ids(each.source_pieces), tokenizers.target.ids(each.target_pieces))
        for each in real
    ]

    for two in translator.force(pairs, range(len(pairs)), method="attention"):
        one = real[two.number]
        assert one.score == pytest.approx(two.score, abs=1e-4)
        np.testing.assert_allclose(one.piece_log_probs, two.log_probs, atol=1e-4)
        assert one.log_prob == pytest.approx(two.log_prob, abs=1e-4)
        np.testing.assert_allclose(one.attention, two.matrix, atol=1e-5)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"prefix": "z"}, "no pieces of the model spell 'z'"),
        ({"require": ["a", "ü"]}, "no pieces of the model spell 'ü'"),
        ({"require": ["a", "▁"]}, "no pieces of the model spell '▁'"),  # it is read as a space
        ({"prefix": "a b ", "forbid": ["b"]}, "'b' is forbidden, and 'a b' has it"),
        ({"require": ["c a"], "forbid": ["a"]}, "'a' is forbidden, and 'c a' has it"),
        ({"prefix": "a " * 20}, "has too many pieces for a translation of 15 at most"),
        ({"require": ["b " * 20]}, "has too many pieces for a translation of 15 at most"),
        ({"require": ["a b " * 4, "c d " * 4]}, "no translation was found that has"),
    ],
)
def test_impossible_constraints_are_named_by_line_and_left_out(translator, given, reason):
    lines, given = ["a b", "a b c"], nmt.Constraints(**given)

    with pytest.warns(UserWarning, match="^line 2: .*; it is translated without") as caught:
        found = list(translator.stream(lines, constraints=[nmt.Constraints(), given]))

    assert len(caught) == 1
    assert reason in str(caught[0].message)
    assert [best.text for best, *_ in found] == lines


def test_all_of_the_n_best_satisfy_the_constraints(translator):
    (line,) = constraints({"prefix": "a ", "require": ["d"], "forbid": ["a a"]})

    (ranked,) = translator.stream(["a b c"], constraints=line, n_best=4)

    assert len(ranked) > 1
    assert all(satisfied(each.text, line) for each in ranked)
    assert len({each.text for each in ranked}) == len(ranked)
    assert [each.score for each in ranked] == sorted((e.score for e in ranked), reverse=True)


@pytest.mark.parametrize("strategy", ["diverse_beam", "sample"])
def test_each_strategy_has_prefixes_and_forbidden_phrases(copy_run, strategy):
    translator = Translator.load(copy_run, strategy=strategy)
    own = nmt.Constraints(prefix="b ", forbid=["a", "c"])

    for found in translator.translate(["a b c", "d c b a"], constraints=own):
        assert satisfied(found.text, own)


@pytest.mark.parametrize("strategy", ["diverse_beam", "sample"])
def test_phrases_are_required_of_a_beam_alone(copy_run, strategy):
    translator = Translator.load(copy_run, strategy=strategy)

    with pytest.raises(DataError, match=f"not for decoding.strategy={strategy}; choose beam"):
        translator.translate("a b c", constraints=nmt.Constraints(require=["a"]))


def test_a_greedy_search_has_required_phrases_too(copy_run):
    translator = Translator.load(copy_run, strategy="greedy")
    own = nmt.Constraints(require=["h", "a b"])

    assert satisfied(translator.translate("c d e", constraints=own).text, own)


def test_a_model_from_right_to_left_has_all_constraints_but_a_prefix(reverse_run):
    translator = Translator.load(reverse_run)
    own = nmt.Constraints(require=["h a", "b"], forbid=["c d"])

    found = translator.translate(["a b c d", "c d e"], constraints=own)

    assert all(satisfied(each.text, own) for each in found)
    with pytest.raises(DataError, match="from right to left cannot begin with a prefix; require"):
        translator.translate("a b", constraints=nmt.Constraints(prefix="a"))


def test_a_shortlist_has_the_pieces_that_constraints_need(copy_run, monkeypatch):
    monkeypatch.setattr(shortlist, "COMMON", 4)  # the specials alone
    translator = Translator.load(copy_run)
    size = translator.tokenizers.target.size
    translator.config = translator.config.model_copy(update={"shortlist": 1})
    translator.lexicon = shortlist.Lexicon(
        np.full((size, 1), -1, np.int32), np.arange(size, dtype=np.int32)
    )
    own = constraints({"prefix": "e f", "require": ["g h"], "forbid": ["a"]}, {"require": ["d"]})

    found = translator.translate(["a b", "b c"], constraints=own)

    for each, line in zip(found, own, strict=True):
        assert satisfied(each.text, line)


def test_a_prefix_is_of_the_first_sentence_and_a_required_phrase_of_an_undivided_line(copy_run):
    translator = Translator.load(copy_run, split="always")
    line = "a b . c b"

    prefixed = translator.translate(line, constraints=nmt.Constraints(prefix="d", forbid=["b"]))
    required = translator.translate(line, constraints=nmt.Constraints(require=["h"]))

    assert len(prefixed.parts) == 2
    assert prefixed.text.startswith("d")
    assert not contains(prefixed.text, "b")
    assert not prefixed.parts[1].text.startswith("d")
    assert not required.parts
    assert contains(required.text, "h")


def test_a_glossary_requires_its_terms_where_a_line_has_them(copy_run):
    translator = Translator.load(copy_run, glossary={"a b": "h", "c": "c c"})

    found = [each.text for each in translator.translate(["a b d", "d e", "d c"])]

    assert contains(found[0], "h")
    assert found[1] == "d e"
    assert contains(found[2], "c c")


def test_lines_without_constraints_need_no_other_program(copy_run):
    from nmt.inference import programs

    translator = Translator.load(copy_run)
    translator.translate(["a b c", "d"])
    before = programs._program.cache_info().misses

    own = constraints({"prefix": "zz"}, {"require": [], "forbid": []})  # impossible, and none
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        translator.translate(["a b c", "d"], constraints=own)

    assert programs._program.cache_info().misses == before


@pytest.mark.parametrize(
    ("settings", "holds"),
    [
        ({"no_repeat_ngram": 1}, lambda pieces: len(set(pieces)) == len(pieces)),
        (
            {"no_repeat_ngram": 2},
            lambda pieces: len(set(pairwise(pieces))) == len(pieces) - 1,
        ),
        ({"min_output_ratio": 1.4}, lambda pieces: len(pieces) >= 11),  # of 8, with the end
        ({"min_output_ratio": 100.0}, lambda pieces: len(pieces) == 22),
    ],
)
def test_settings_for_all_lines(copy_run, settings, holds):
    plain = Translator.load(copy_run).translate("a a a b b b b").target_pieces
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="line 1: the translation is cut")
        found = Translator.load(copy_run, **settings).translate("a a a b b b b").target_pieces

    assert not holds(plain)
    assert holds(found)


@pytest.mark.parametrize("given", [None, "a", {"prefix": "a"}, [{"prefix": "a"}], [None]])
def test_constraints_of_another_kind_are_refused(translator, given):
    with pytest.raises(TypeError, match="constraints"):
        translator.translate(["a b"], constraints=given)
