"""The captioner: the text of given vectors, whatever else is read with them."""

import dataclasses
import re

import numpy as np
import pytest
import vectors
from tiers import slow_where
from tiny import letters

from nmt.data.constraints import Constraints
from nmt.errors import DataError
from nmt.inference.captioner import Captioner
from nmt.inference.translator import Translator

LINES = [*letters(12, longest=6, seed=77), "a", "b b"]


@pytest.fixture(scope="module")
def captioner(spoken_run):
    return Captioner.load(spoken_run, batch=8)


@pytest.fixture(scope="module")
def sources():
    return [vectors.spoken(line, seed=1000 + i) for i, line in enumerate(LINES)]


def test_it_writes_the_letters_that_the_vectors_stand_for(captioner, sources):
    assert [each.text for each in captioner.translate(sources)] == LINES


def test_each_letter_attends_to_its_vector(captioner, sources):
    for each in captioner.translate(sources):
        weights = each.words.weights
        assert weights.shape == (len(each.text.split()), len(each.source_pieces))
        assert weights.argmax(axis=1).tolist() == list(range(len(weights)))


def test_text_and_attention_do_not_depend_on_the_batch(captioner, sources):
    together = captioner.translate(sources)
    backwards = captioner.translate(sources[::-1])[::-1]
    alone = [captioner.translate([source])[0] for source in sources]

    for one, two, three in zip(together, backwards, alone, strict=True):
        assert one.text == two.text == three.text
        np.testing.assert_allclose(one.attention, two.attention, atol=1e-5)
        np.testing.assert_allclose(one.attention, three.attention, atol=1e-5)
        np.testing.assert_allclose([one.score, one.score], [two.score, three.score], rtol=1e-4)


def test_forced_decoding_gives_the_scores_and_the_attention_of_the_search(captioner, sources):
    found = captioner.translate(sources)
    forced = captioner.align(sources, [each.text for each in found])

    for one, two in zip(found, forced, strict=True):
        np.testing.assert_allclose([one.score, one.log_prob], [two.score, two.log_prob], rtol=1e-4)
        np.testing.assert_allclose(one.attention, two.attention, atol=1e-5)
        np.testing.assert_allclose(one.piece_log_probs, two.piece_log_probs, atol=1e-4)


def test_the_best_of_several_is_the_best_alone_and_no_two_are_the_same(captioner, sources):
    best = captioner.translate(sources)

    for one, ranked in zip(best, captioner.stream(sources, n_best=3), strict=True):
        assert ranked[0].text == one.text
        assert len({each.text for each in ranked}) == len(ranked) == 3
        assert [each.score for each in ranked] == sorted((e.score for e in ranked), reverse=True)


@pytest.mark.parametrize(
    "method",
    [
        "shifted",
        *slow_where(["saliency", "saliency_input", "jacobian"], lambda each: each != "saliency"),
    ],
)
def test_a_method_of_explanation_keeps_the_text_and_replaces_the_matrix(captioner, sources, method):
    found = captioner.translate(sources[:3])
    explained = captioner.explain(found, method=method)

    for one, two in zip(found, explained, strict=True):
        assert (one.text, one.score, two.method) == (two.text, two.score, method)
        assert one.attention.shape == two.attention.shape
        np.testing.assert_allclose(two.attention.sum(axis=1), 1, atol=1e-4)


def test_the_attention_comes_back_after_another_method(captioner, sources):
    found = captioner.translate(sources[:2])
    explained = captioner.explain(found, method="saliency")

    # One that has the matrix already, with a mark that forced decoding would not leave.
    marked = dataclasses.replace(found[1], attention=np.full_like(found[1].attention, 0.25))
    back = captioner.explain([explained[0], marked], method="attention")

    assert [each.method for each in back] == ["attention", "attention"]
    np.testing.assert_allclose(back[0].attention, found[0].attention, atol=1e-5)
    assert back[1] is marked


def test_no_method_is_that_of_the_model(captioner, sources):
    for method in (None, "attention"):
        for each in captioner.align(sources[:2], LINES[:2], method=method):
            assert each.method == captioner.method == "attention"


def test_a_source_for_which_nothing_is_found_has_an_empty_text(spoken_run):
    # The vocabulary has 21 pieces, so no 24 different ones can be written, but three.
    settings = {"no_repeat_ngram": 1, "min_output_ratio": 3.0, "max_output_ratio": 3.0}
    long, short = vectors.spoken("a b c d e f g h", seed=1), vectors.spoken("a", seed=2)

    nothing, something = Captioner.load(spoken_run, **settings).translate([long, short])

    assert (nothing.text, nothing.target_pieces, nothing.log_prob) == ("", (), 0.0)
    assert nothing.attention.shape == (0, 8)
    assert something.target_pieces


def test_saliency_finds_the_vector_of_each_letter(captioner, sources):
    found = captioner.align(sources, LINES, method="saliency")

    right = [
        place == most
        for each in found
        for place, most in enumerate(each.words.weights.argmax(axis=1))
    ]
    assert np.mean(right) > 0.75


def test_constraints_are_those_of_a_translator(captioner, sources):
    begun = captioner.translate(sources[:2], constraints=Constraints(prefix="h h"))
    assert all(each.text.startswith("h h") for each in begun)


def test_an_ensemble_of_a_model_with_itself_is_the_model(captioner, spoken_run, sources):
    twice = Captioner.load([spoken_run, spoken_run], batch=8).translate(sources[:4])

    for one, two in zip(captioner.translate(sources[:4]), twice, strict=True):
        assert one.text == two.text
        np.testing.assert_allclose(one.attention, two.attention, atol=1e-5)


def test_no_sources_give_no_captions(captioner):
    assert captioner.translate([]) == []


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (np.zeros((3, 5)), "row 2: an array of 3 x 5, and data.input.size asks for positions x 12"),
        (np.float32(3), "row 2: one number, and data.input.size asks for positions x 12"),
        (np.full((1, 12), np.nan), "row 2: a component is infinite or not a number"),
        ([[1.0], [1.0, 2.0]], "row 2: vectors of several sizes, or no numbers"),
    ],
    ids=["size", "number", "nan", "ragged"],
)
def test_a_source_of_another_shape_is_named(captioner, sources, source, message):
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        captioner.translate([sources[0], source])


@pytest.mark.parametrize(
    "source",
    ["a.png", b"a", np.zeros((3, 12)), {"path": "a.png", "bytes": None}],
    ids=["text", "bytes", "array", "mapping"],
)
def test_one_source_instead_of_several_is_refused(captioner, source):
    message = "a captioner takes several sources, such as a list"
    with pytest.raises(TypeError, match=f"^{message}, not"):
        captioner.translate(source)
    with pytest.raises(TypeError, match=f"^{message}, not"):
        captioner.align(source, ["a"])


def test_one_text_instead_of_several_is_refused(captioner, sources):
    with pytest.raises(TypeError, match=r"^targets are several strings, such as a list, not str"):
        captioner.align(sources[:1], "a")


def test_explain_takes_captions(captioner):
    with pytest.raises(
        TypeError, match=r"^explain takes a Caption or an iterable of them, and one"
    ):
        captioner.explain(["a b"], method="saliency")


def test_explain_refuses_a_caption_of_vectors_of_another_size(captioner, sources):
    caption = captioner.translate(sources[:1])[0]
    other = dataclasses.replace(caption, given=np.zeros((len(caption.given), 5), np.float32))

    message = "a caption was made from vectors of 5 components, and this model reads 12; explain it"
    with pytest.raises(DataError, match=f"^{message} with the model that made it$"):
        captioner.explain(other, method="saliency")


def test_each_kind_of_sources_has_its_class(spoken_run, copy_run):
    with pytest.raises(DataError, match="its sources are vectors and not text"):
        Translator.load(spoken_run)
    with pytest.raises(DataError, match=r"its sources are text; use nmt\.Translator"):
        Captioner.load(copy_run)


def test_sides_of_different_length_are_refused(captioner, sources):
    with pytest.raises(DataError, match="2 sources but 1 target line"):
        captioner.align(sources[:2], ["a"])
