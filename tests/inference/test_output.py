import numpy as np
import pytest

from nmt.data import files
from nmt.errors import ConfigError, DataError
from nmt.inference.output import (
    open_alignments,
    stream_links,
    stream_symmetrized,
    symmetrized_links,
    word_links,
)
from nmt.inference.translator import Translation, Translator


def translation(source, target, weights):
    return Translation(
        source="", text="", score=0.0, log_prob=0.0,
        source_pieces=tuple(source), target_pieces=tuple(target),
        attention=np.array(weights, np.float32).reshape(len(target), len(source)),
    )  # fmt: skip


# "Ka|tze schläft" -> "cat sleeps": the first target piece attends to both pieces of the first word
SENTENCE = translation(
    ["▁Ka", "tze", "▁schläft", "</s>"],
    ["▁cat", "▁sleeps", "</s>"],
    [[0.3, 0.3, 0.4, 0.0], [0.1, 0.1, 0.8, 0.0], [0.0, 0.0, 0.0, 1.0]],
)
NOTHING = translation([], [], [])


def test_links_are_between_words():
    assert word_links(SENTENCE) == {(0, 0), (1, 1)}
    assert word_links(NOTHING) == frozenset()


def test_the_end_of_sentence_is_never_linked():
    # Everything attends to the end of the source most, and the end of the target to all words.
    ends = translation(
        ["▁a", "▁b", "</s>"],
        ["▁x", "▁y", "</s>"],
        [[0.0, 0.25, 0.75], [0.25, 0.0, 0.75], [0.5, 0.5, 0.0]],
    )

    assert word_links(ends) == word_links(ends, threshold=0.25) == {(1, 0), (0, 1)}
    assert word_links(ends, threshold=0.5) == frozenset()
    assert word_links(ends, threshold=0.0) == {(0, 0), (0, 1), (1, 0), (1, 1)}
    assert word_links(NOTHING, threshold=0.0) == frozenset()


def test_a_threshold_counts_what_all_pieces_of_a_word_get():
    # Katze gets 0.6 and 0.2, schläft 0.4 and 0.8, though no piece of Katze gets more than 0.3.
    assert word_links(SENTENCE, threshold=0.35) == {(0, 0), (1, 0), (1, 1)}
    assert word_links(SENTENCE, threshold=0.5) == {(0, 0), (1, 1)}


@pytest.mark.parametrize("directions", [1, 2])
def test_pairs_are_read_a_window_at_a_time_and_come_back_in_order(copy_run, directions):
    lines = [" ".join("abcdefgh"[: n % 6]) for n in range(300)]
    read = []

    def pairs():
        for line in lines:
            read.append(line)
            yield line, line

    stream = stream_links if directions == 1 else stream_symmetrized
    found = stream(*[Translator.load(copy_run, batch=4)] * directions, pairs())

    first = next(found)
    assert 0 < len(read) < len(lines)
    diagonals = [frozenset((i, i) for i in range(len(line.split()))) for line in lines]
    assert [first, *found] == diagonals


def test_two_directions_are_joined_by_their_weights_or_by_their_links():
    # "cat sleeps" -> "Katze schläft": the other direction ties Katze to both, cat a little more.
    back = translation(
        ["▁cat", "▁sleeps", "</s>"],
        ["▁Katze", "▁schläft", "</s>"],
        [[0.5, 0.4, 0.1], [0.1, 0.9, 0.0], [0.0, 0.0, 1.0]],
    )
    # Geometric means: Katze-cat √(0.6 0.5), schläft-cat √(0.4 0.1), Katze-sleeps √(0.2 0.4),
    # schläft-sleeps √(0.8 0.9).
    assert symmetrized_links(SENTENCE, back) == {(0, 0), (1, 1)}
    assert symmetrized_links(SENTENCE, back, threshold=0.25) == {(0, 0), (0, 1), (1, 1)}
    assert symmetrized_links(SENTENCE, back, threshold=0.19) == {(0, 0), (0, 1), (1, 0), (1, 1)}
    assert symmetrized_links(NOTHING, NOTHING, threshold=0.0) == frozenset()
    # Arithmetic means: 0.55, 0.25, 0.3, 0.85.
    assert symmetrized_links(SENTENCE, back, symmetrization="soft-union") == {(0, 0), (1, 1)}

    def joined(method, threshold):
        return symmetrized_links(SENTENCE, back, symmetrization=method, threshold=threshold)

    assert joined("intersection", None) == {(0, 0), (1, 1)}
    assert joined("union", 0.35) == {(0, 0), (0, 1), (1, 0), (1, 1)}
    assert joined("intersection", 0.35) == {(0, 0), (1, 1)}


def test_each_direction_reads_its_own_side_with_its_own_model(copy_run):
    forward = Translator.load(copy_run)
    backward = Translator.load(copy_run, max_pieces=3)  # two pieces and the end of sentence

    (unequal,) = stream_symmetrized(forward, forward, [("a b c", "a b")], threshold=0.01)
    with pytest.warns(UserWarning, match="line 1: .* than 2 pieces, and is cut"):
        (cut,) = stream_symmetrized(forward, backward, [("a b c", "a b c")])

    assert {(0, 0), (1, 1)} <= unequal
    assert cut == {(0, 0), (1, 1)}


def test_an_unknown_symmetrisation_of_two_models_is_named_with_all_there_are(copy_run):
    model = Translator.load(copy_run)

    with pytest.raises(
        ConfigError, match=r"'grow'; choose one of soft-intersection, soft-union, inter"
    ):
        stream_symmetrized(model, model, [], symmetrization="grow")
    with pytest.raises(ConfigError, match="no symmetrization 'grow'"):
        symmetrized_links(NOTHING, NOTHING, symmetrization="grow")


def test_pharaoh_text_has_one_line_for_each_translation(tmp_path):
    with open_alignments(tmp_path / "links.txt") as write:
        for each in (SENTENCE, NOTHING, SENTENCE):
            write([each])

    assert (tmp_path / "links.txt").read_text() == "0-0 1-1\n\n0-0 1-1\n"


def test_matrices_come_back_with_their_pieces_and_without_pickle(tmp_path):
    with open_alignments(tmp_path / "a.npz") as write:
        for each in (SENTENCE, NOTHING):
            write([each])

    with np.load(tmp_path / "a.npz", allow_pickle=False) as arrays:
        np.testing.assert_array_equal(arrays["attention_0"], SENTENCE.attention)
        assert tuple(arrays["source_0"].tolist()) == SENTENCE.source_pieces
        assert tuple(arrays["target_0"].tolist()) == SENTENCE.target_pieces
        assert arrays["attention_1"].shape == (0, 0)
        assert arrays["source_1"].tolist() == []


BETTER, WORSE = SENTENCE, translation(["▁Ka", "tze", "▁schläft", "</s>"], ["▁it", "</s>"], [
    [0.0, 0.0, 0.9, 0.1], [0.0, 0.0, 0.0, 1.0],
])  # fmt: skip


def test_pharaoh_text_has_one_line_for_each_translation_of_a_ranked_list(tmp_path):
    for ranked, lines in {
        True: ["0-0 1-1", "1-0", "", "1-0"],
        False: ["0-0 1-1", "", "1-0"],
    }.items():
        with open_alignments(tmp_path / "links.zst", ranked=ranked) as write:
            for found in ([BETTER, WORSE], [NOTHING], [WORSE]):
                write(found)

        assert list(files.lines(tmp_path / "links.zst")) == lines


def test_matrices_of_a_ranked_list_have_the_rank_in_their_names(tmp_path):
    with open_alignments(tmp_path / "a.npz", ranked=True) as write:
        write([BETTER, WORSE])
        write([WORSE])

    with np.load(tmp_path / "a.npz", allow_pickle=False) as arrays:
        places = ["0_0", "0_1", "1_0"]
        names = [f"{name}_{n}" for n in places for name in ("attention", "source", "target")]
        assert list(arrays) == names
        np.testing.assert_array_equal(arrays["attention_0_1"], WORSE.attention)
        assert arrays["target_1_0"].tolist() == ["▁it", "</s>"]


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    with (
        pytest.raises(DataError, match=r"none/a\.npz: cannot be written"),
        open_alignments(tmp_path / "none" / "a.npz"),
    ):
        pass
