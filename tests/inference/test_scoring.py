"""Log-probabilities of given targets: worked out by hand, and by the steps of a search."""

import jax
import numpy as np
import pytest

from nmt.data.batching import pad_side
from nmt.inference.predictor import Source
from nmt.inference.translation import Translation
from nmt.inference.translator import Translator

# Pieces of a text, the log-probability of each, and those of words worked out by hand.
WORDS = [
    ("a b", ["▁a", "▁b", "</s>"], [-1, -2, -4], [("a", -1), ("b", -2), ("</s>", -4)]),
    ("ab c", ["▁a", "b", "▁c", "</s>"], [-1, -2, -4, -8], [("ab", -3), ("c", -4), ("</s>", -8)]),
    ("a b", ["▁", "a", "▁", "b", "</s>"], [-1, -2, -4, -8, -16],
     [("a", -3), ("b", -12), ("</s>", -16)]),
    ("a", ["▁a", "▁", "</s>"], [-1, -2, -4], [("a", -3), ("</s>", -4)]),  # a space at the end
    ("a b", ["▁a▁b", "</s>"], [-3, -4], [("a", -1.5), ("b", -1.5), ("</s>", -4)]),  # of two words
    ("a b", ["▁a", "▁b"], [-1, -2], [("a", -1), ("b", -2)]),  # cut at its longest length
    ("", ["</s>"], [-1], [("</s>", -1)]),
    ("", ["▁", "</s>"], [-1, -2], [("</s>", -3)]),
    ("", [], [], []),
]  # fmt: skip


@pytest.mark.parametrize(("text", "pieces", "log_probs", "expected"), WORDS)
def test_the_pieces_of_a_word_add_up(text, pieces, log_probs, expected):
    translation = Translation(
        source="x", text=text, score=0.0, log_prob=float(sum(log_probs)),
        source_pieces=("▁x", "</s>"), target_pieces=tuple(pieces),
        attention=np.zeros((len(pieces), 2), np.float32),
        piece_log_probs=np.array(log_probs, np.float32),
    )  # fmt: skip

    assert translation.word_log_probs == expected


def test_what_is_set_aside_or_unknown_or_empty_has_its_own_rule(copy_run):
    translator = Translator.load(copy_run)
    # "€" is no part of a word, and set aside; "ß" is, and becomes `<unk>`.
    sources = ["a b", "a € b", "a bß", "€", "€", "", ""]
    targets = ["a b", "a € b", "a bß", "€", "", "", "a"]

    found = translator.score(sources, targets)

    pieces = [each.target_pieces for each in found]
    assert pieces[0] == pieces[1] == ("▁a", "▁b", "</s>")
    assert pieces[2] == ("▁a", "▁b", "<unk>", "</s>")
    assert pieces[3:] == [(), (), (), ("▁a", "</s>")]
    np.testing.assert_allclose(found[0].piece_log_probs, found[1].piece_log_probs, atol=1e-5)
    assert [word for word, _ in found[1].word_log_probs] == ["a", "€", "b", "</s>"]
    assert found[1].word_log_probs[1] == ("€", 0)
    assert found[1].target_words.read == 2
    assert dict(found[2].word_log_probs)["bß"] == pytest.approx(found[2].piece_log_probs[1:3].sum())
    assert found[3].word_log_probs == [("€", 0)]
    assert [each.log_prob for each in found[3:6]] == [0, 0, 0]
    assert found[6].log_prob < -1  # nothing has no translation but nothing


def test_a_cut_target_is_scored_as_what_is_left_of_it(copy_run):
    translator = Translator.load(copy_run, max_pieces=3)

    with pytest.warns(UserWarning, match="the target has more than 2 pieces, and is cut"):
        cut = translator.score("a b", "a b c d")

    whole = translator.score("a b", "a b")
    np.testing.assert_allclose(cut.piece_log_probs, whole.piece_log_probs, atol=1e-5)
    assert [word for word, _ in cut.word_log_probs] == ["a", "b", "c", "d", "</s>"]
    assert [log_prob for _, log_prob in cut.word_log_probs[2:4]] == [0, 0]


PAIRS = [("a b c", "a b c"), ("h g f e d", "h f"), ("c", "a b c d e f g h"), ("b", "")]


@pytest.mark.parametrize("runs", [["copy_run"], ["copy_run", "noisy_run"], ["reverse_run"]])
def test_pieces_have_the_log_probabilities_of_the_steps_of_a_search(runs, request):
    translator = Translator.load([request.getfixturevalue(run) for run in runs])
    tokenizers, predictor = translator.tokenizers, translator.loaded.predictor()
    start, step = jax.jit(predictor.start), jax.jit(predictor.step)

    for line, target in PAIRS:
        ids, tokens = (
            [*side.encode(text), side.eos]
            for side, text in ((tokenizers.source, line), (tokenizers.target, target))
        )
        encoded, state = start(Source(*pad_side([ids], 1, 8)))
        steps, last = [], tokenizers.target.bos
        for token in tokenizers.turned(tokens):
            state, log_probs, _ = step(state, np.array([last]), encoded)
            steps.append(float(log_probs[0, token]))
            last = token
        expected = [steps[i] for i in tokenizers.order(tokens)]

        scored = translator.score(line, target)

        np.testing.assert_allclose(scored.piece_log_probs, expected, atol=1e-4)
        assert scored.log_prob == pytest.approx(sum(expected), abs=1e-4)
        assert sum(log_prob for _, log_prob in scored.word_log_probs) == pytest.approx(
            scored.log_prob, abs=1e-9
        )
