"""Right-to-left models: the model sees and writes the target from its end, and nobody else does."""

import dataclasses
import shutil

import numpy as np
import pytest
from datasets import Dataset
from hypothesis import given, settings
from hypothesis import strategies as st

from nmt.config import SamplingConfig
from nmt.data import corpus
from nmt.data.tokenizers import Tokenizers
from nmt.errors import RunError
from nmt.inference.output import word_links
from nmt.inference.translator import Translator
from nmt.run import Run

LINES = ["a b c", "", "h g f e d c", "b", "a h b g c f"]


def turned(tokenizers):
    return dataclasses.replace(tokenizers, reverse_target=True)


@given(pieces=st.lists(st.integers(4, 20)), ends=st.booleans())
def test_the_order_turns_the_pieces_round_before_the_end_and_back(
    embedded_tokenizers, pieces, ends
):
    tokenizers = turned(embedded_tokenizers)
    end = [tokenizers.target.eos] * ends
    assert tokenizers.target.eos not in range(4, 21)

    order = tokenizers.order([*pieces, *end])

    assert tokenizers.turned([*pieces, *end]) == [*reversed(pieces), *end]
    assert tokenizers.turned(tokenizers.turned([*pieces, *end])) == [*pieces, *end]
    assert sorted(order) == list(range(len(pieces) + ends))
    assert embedded_tokenizers.turned([*pieces, *end]) == [*pieces, *end]


VOCABULARY = ("der", "Hund", "schläft", "im", "alten", "Garten", "nicht")
WORDS = st.lists(st.sampled_from(VOCABULARY), min_size=1)


@settings(max_examples=30)
@given(
    source=WORDS,
    target=WORDS,
    sampling=st.sampled_from([None, SamplingConfig(alpha=0.3)]),
    data=st.data(),
)
def test_a_corpus_is_encoded_backwards_with_its_links(
    embedded_tokenizers, source, target, sampling, data
):
    links = data.draw(
        st.sets(
            st.tuples(st.integers(0, len(source) - 1), st.integers(0, len(target) - 1)), max_size=5
        )
    )
    text = Dataset.from_dict(
        {
            "source": [" ".join(source)],
            "target": [" ".join(target)],
            "links": [[place for link in sorted(links) for place in link]],
        }
    )

    normal, backwards = (
        corpus.encode(text, each, sampling=sampling, seed=5)[0]
        for each in (embedded_tokenizers, turned(embedded_tokenizers))
    )

    assert backwards["source"] == normal["source"]
    *pieces, end = normal["target"]
    assert backwards["target"] == [*pieces[::-1], end]
    linked = np.reshape(normal["links"], (-1, 2)).astype(int)
    mirrored = {(i, len(pieces) - 1 - j) for i, j in linked.tolist()}
    assert set(map(tuple, np.reshape(backwards["links"], (-1, 2)).tolist())) == mirrored
    assert len(linked) >= len(links)


def test_what_belongs_to_the_other_order_has_another_fingerprint(embedded_tokenizers):
    source, target = embedded_tokenizers.source, embedded_tokenizers.target

    assert Tokenizers(source, target, False).fingerprint == embedded_tokenizers.fingerprint
    assert turned(embedded_tokenizers).fingerprint != embedded_tokenizers.fingerprint
    assert turned(embedded_tokenizers).joint


@pytest.fixture(scope="module")
def both(copy_run):
    """The model that copies, and what it is if what it writes is read from its end."""
    normal = Translator.load(copy_run)
    backwards = Translator(
        normal.loaded, tokenizers=turned(normal.tokenizers), config=normal.config
    )
    return normal, backwards


def reading(matrix):
    """The rows of a matrix in the other order; that of the end stays the last."""
    return np.concatenate([matrix[:-1][::-1], matrix[-1:]])


def test_translations_are_read_from_the_end_with_their_attention(both):
    normal, backwards = both
    one, other = (list(each.stream(LINES, n_best=3)) for each in both)

    for there, back in zip(one, other, strict=True):
        for left, right in zip(there, back, strict=True):
            assert right.target_pieces == (*left.target_pieces[:-1][::-1], *left.target_pieces[-1:])
            assert right.score == left.score
            np.testing.assert_array_equal(right.attention, reading(left.attention))
    assert [each[0].text for each in other] == [" ".join(line.split()[::-1]) for line in LINES]
    assert word_links(other[0][0]) == {(2, 0), (1, 1), (0, 2)}
    assert backwards.fingerprint != normal.fingerprint


def test_a_translation_that_is_cut_lacks_its_beginning(both):
    with pytest.warns(UserWarning, match="cut at its longest length"):
        (found,) = Translator(
            both[1].loaded,
            tokenizers=both[1].tokenizers,
            config=both[1].config.model_copy(update={"max_output_ratio": 0.1, "max_extra": 2}),
        ).translate(["a b c d"])

    assert (found.text, found.is_cut) == ("b a", True)


@pytest.mark.parametrize("method", ["attention", "shifted", "saliency"])
def test_a_given_target_is_explained_in_reading_order(both, method):
    sources, targets = ["a b c", "d e", "f"], ["b c a", "e", ""]
    mirrored = [" ".join(each.split()[::-1]) for each in targets]

    normal = both[0].align(sources, mirrored, method=method)
    backwards = both[1].align(sources, targets, method=method)

    for one, other in zip(normal, backwards, strict=True):
        assert other.log_prob == pytest.approx(one.log_prob, abs=1e-5)
        np.testing.assert_allclose(other.attention, reading(one.attention), atol=1e-6)
    explained = both[1].explain(both[1].align(sources, targets), method=method)
    for one, other in zip(backwards, explained, strict=True):
        np.testing.assert_allclose(one.attention, other.attention, atol=1e-6)


def test_a_model_that_was_trained_from_right_to_left_writes_for_readers(reverse_run):
    translator = Translator.load(reverse_run)

    found = translator.translate(LINES)
    forced = translator.align(LINES, LINES)

    assert [each.text for each in found] == LINES
    assert Run.open(reverse_run).records()[-1]["validation/bleu"] > 90
    for one, other in zip(found, forced, strict=True):
        assert other.score == pytest.approx(one.score, abs=1e-4)
    assert word_links(found[0]) == {(0, 0), (1, 1), (2, 2)}


def test_a_run_whose_order_was_changed_by_hand_is_refused(copy_run, tmp_path):
    shutil.copytree(copy_run, tmp_path / "run")
    config = (tmp_path / "run/config.yaml").read_text()
    assert "reverse_target: false" in config
    (tmp_path / "run/config.yaml").write_text(
        config.replace("reverse_target: false", "reverse_target: true")
    )

    with pytest.raises(RunError, match=r"put back .* and the original data.reverse_target"):
        Translator.load(tmp_path / "run")
