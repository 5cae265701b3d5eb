"""The stream of batches: from a saved progress it goes on as if it had never stopped."""

import dataclasses
import itertools
import threading
import time

import numpy as np
import pytest
from datasets import Dataset
from members import threads
from taken import take, whole

from nmt import configfile
from nmt.checkpoints import TrainingProgress
from nmt.config import TrainedTokenizerConfig
from nmt.data import corpus, links, tokenizer_training
from nmt.data.tokenizer import Tokenizer
from nmt.data.tokenizers import Tokenizers
from nmt.training import loader as feed_module
from nmt.training.loader import DataLoader, prefetched

SAMPLING = {"alpha": 0.2}


@pytest.fixture(scope="module")
def text():
    random = np.random.default_rng(0)
    words = ["klein", "Katze", "Haus", "Garten", "schläft", "singt", "immer", "niemals"]
    lines = [" ".join(random.choice(words, size=random.integers(1, 7))) for _ in range(60)]
    return Dataset.from_dict({"source": lines, "target": lines[::-1]}, features=corpus.TEXT)


@pytest.fixture(scope="module")
def tokenizers(text):
    return tokenizer_training.train(
        text["source"],
        text["target"],
        TrainedTokenizerConfig(vocabulary_size=32, byte_fallback=False),
    )


def loader(
    text, tokenizers, *, seed=1, sampling=None, train="unused", temperature=None, batch=None
):
    config = configfile.validate(
        {
            "seed": seed,
            "data": {
                "train": train,
                "temperature": temperature,
                "validation": "unused",
                "max_length": 40,
                "max_length_ratio": 40,
                "batch": batch or {"sentences": 8, "buckets": 3},
            },
            "tokenizer": {"sampling": sampling},
        }
    )
    pairs, _ = corpus.filter_pairs(corpus.encode(text, tokenizers), config.data)
    return DataLoader(text, pairs, tokenizers, config)


def assert_same(found, expected):
    for (batch, after), (other, progress) in zip(found, expected, strict=True):
        assert after == progress
        for side, other_side in zip(batch, other, strict=True):
            np.testing.assert_array_equal(side, other_side)


def sentences(batches, side):
    """The real ids of every row, whatever its place."""
    found = []
    for batch, _ in batches:
        rows, lengths = batch[2 * side], batch[2 * side + 1]
        found += [tuple(row[:n].tolist()) for row, n in zip(rows, lengths, strict=True) if n]
    return sorted(found)


def epoch(loader, number):
    """The batches of an epoch: those before the progress moves to the next."""
    stream = loader.batches(TrainingProgress(epoch=number))
    taken = []
    for batch, after in stream:
        taken.append((whole(batch), after))
        if after.epoch > number:
            break
    stream.close()
    return taken


@pytest.mark.parametrize("sampling", [None, SAMPLING])
def test_from_any_position_the_batches_are_those_of_a_run_without_a_stop(
    text, tokenizers, sampling
):
    uninterrupted = take(loader(text, tokenizers, sampling=sampling), 20)
    assert uninterrupted[-1][1].epoch >= 2

    for consumed in (1, 7, 8, 13):
        saved = uninterrupted[consumed - 1][1]
        rest = take(loader(text, tokenizers, sampling=sampling), 20 - consumed, saved)
        assert_same(rest, uninterrupted[consumed:])


def test_positions_count_the_batches_of_an_epoch(text, tokenizers):
    stream = loader(text, tokenizers)
    count = stream.batches_per_epoch

    progresses = [(after.epoch, after.batch) for _, after in take(stream, count + 1)]

    assert progresses == [(0, index) for index in range(1, count)] + [(1, 0), (1, 1)]


def test_what_validation_has_seen_stays_in_the_position(text, tokenizers):
    start = TrainingProgress(step=5, best=1.5, best_step=3, bad_validations=2, tokenizer="abc")

    [(_, after)] = take(loader(text, tokenizers), 1, start)

    assert after == TrainingProgress(
        batch=1, step=5, best=1.5, best_step=3, bad_validations=2, tokenizer="abc"
    )


def test_an_epoch_reads_every_pair_once(text, tokenizers):
    stream = loader(text, tokenizers)

    for number in (0, 1):
        batches = epoch(stream, number)

        for side, lines in enumerate((text["source"], text["target"])):
            model = tokenizers.source
            expected = sorted((*ids, model.eos) for ids in model.encode_batch(list(lines)))
            assert sentences(batches, side) == expected


@pytest.mark.parametrize("sampling", [None, SAMPLING])
def test_the_rows_of_two_processes_together_are_those_of_one(text, tokenizers, sampling):
    alone = loader(text, tokenizers, sampling=sampling)
    parts = [epoch(dataclasses.replace(alone, processes=member), 0) for member in threads(2)]

    together = [
        (tuple(np.concatenate(side) for side in zip(*batches, strict=True)), after)
        for (first, after), (second, same) in zip(*parts, strict=True)
        for batches in [(first[:4], second[:4])]
        if after == same
    ]

    assert_same(together, [(batch[:4], after) for batch, after in epoch(alone, 0)])


def test_another_epoch_and_another_seed_have_another_order(text, tokenizers):
    def order(seed, number):
        return [
            batch[0].tolist() for batch, _ in epoch(loader(text, tokenizers, seed=seed), number)
        ]

    assert order(1, 0) == order(1, 0)
    assert order(1, 0) != order(1, 1)
    assert order(1, 0) != order(2, 0)


def test_sampled_pieces_repeat_with_the_seed_and_differ_between_epochs(text, tokenizers):
    def pieces(seed, number):
        return sentences(epoch(loader(text, tokenizers, seed=seed, sampling=SAMPLING), number), 0)

    assert pieces(1, 0) == pieces(1, 0)
    assert pieces(1, 0) != pieces(1, 1)
    assert pieces(1, 0) != pieces(2, 0)


def test_sampled_pieces_spell_the_same_sentences(text, tokenizers):
    batches = epoch(loader(text, tokenizers, sampling=SAMPLING), 0)

    spelled = [tokenizers.target.decode(ids) for ids in sentences(batches, 1)]

    assert sorted(spelled) == sorted(text["target"])


@pytest.fixture
def in_parts(monkeypatch):
    """Has sampling take twenty pairs at a time: an epoch of the corpus has three parts."""
    monkeypatch.setattr(feed_module, "PART", 25)


def test_in_parts_the_batches_from_any_position_are_those_of_a_run_without_a_stop(
    text, tokenizers, in_parts
):
    uninterrupted = take(loader(text, tokenizers, sampling=SAMPLING), 26)
    assert {after.part for _, after in uninterrupted} == {0, 1, 2}
    assert uninterrupted[-1][1].epoch >= 2

    for consumed in range(1, 26):
        saved = uninterrupted[consumed - 1][1]
        [found] = take(loader(text, tokenizers, sampling=SAMPLING), 1, saved)
        assert_same([found], [uninterrupted[consumed]])


def test_the_parts_of_an_epoch_have_every_pair_once_and_are_others_in_the_next(
    text, tokenizers, in_parts
):
    batches = loader(text, tokenizers, sampling=SAMPLING)
    assert batches.parts == 3

    def first_part(number):
        progresses = [
            TrainingProgress(epoch=number),
            *(after for _, after in epoch(batches, number)),
        ]
        inside = [
            progress for progress in progresses if (progress.epoch, progress.part) == (number, 0)
        ]
        return sorted(pair for progress in inside for pair in batches.sentences(progress))

    spelled = [tokenizers.target.decode(ids) for ids in sentences(epoch(batches, 0), 1)]
    assert sorted(spelled) == sorted(text["target"])
    assert len(first_part(0)) == len(set(first_part(0))) == 20
    assert first_part(0) != first_part(1)


def test_in_parts_the_sentences_of_a_batch_are_named_by_their_place_in_the_corpus(
    text, tokenizers, in_parts
):
    batches = loader(text, tokenizers, sampling=SAMPLING)
    start = TrainingProgress(epoch=1, part=2, batch=1)

    [(sides, _)] = take(batches, 1, start)

    rows = zip(sides[0], sides[1], strict=True)
    held = [tokenizers.source.decode(ids[:length].tolist()) for ids, length in rows if length]
    named = [text["source"][number - 1] for number in batches.sentences(start)]
    assert sorted(named) == sorted(held)


def test_epochs_are_counted_through_their_parts(text, tokenizers, in_parts):
    batches = loader(text, tokenizers, sampling=SAMPLING)

    assert batches.epochs(TrainingProgress(epoch=4)) == 4
    assert batches.epochs(TrainingProgress(epoch=4, part=1)) == pytest.approx(4 + 1 / 3)
    share = 1 / batches.batches_per_epoch
    assert batches.epochs(TrainingProgress(epoch=4, part=2, batch=1)) == pytest.approx(
        4 + 2 / 3 + share
    )


IN_TOKENS = {"batch": {"tokens": 160, "buckets": 3}, "sampling": {"alpha": 0.1}}


def test_an_epoch_of_sampled_pieces_has_as_many_batches_as_are_counted(text, tokenizers):
    batches = loader(text, tokenizers, **IN_TOKENS)

    assert batches.batches_per_epoch == len(epoch(batches, 0))


def test_in_parts_an_epoch_of_sampled_pieces_has_about_as_many_batches_as_are_counted(
    text, tokenizers, in_parts
):
    batches = loader(text, tokenizers, **IN_TOKENS)

    assert batches.batches_per_epoch == pytest.approx(len(epoch(batches, 0)), rel=0.1)


def test_no_more_than_what_is_left_of_sampled_pairs_is_padded_to_the_longest(tokenizers):
    lines = ["Katze Garten schläft"] * 60  # 4 pieces or so, and up to 21 if they are sampled
    text = Dataset.from_dict({"source": lines, "target": lines}, features=corpus.TEXT)
    settings = {"sampling": {"alpha": 0.01}, "batch": {"sentences": 8, "buckets": 8}}

    widths = [batch[0].shape[1] for batch, _ in epoch(loader(text, tokenizers, **settings), 0)]

    assert widths.count(40) <= 1


def test_epochs_never_fall_and_move_on_with_the_progress(text, tokenizers, in_parts):
    batches = loader(text, tokenizers, **IN_TOKENS)
    progresses = [after for _, after in take(batches, 4 * batches.batches_per_epoch)]

    epochs = [batches.epochs(progress) for progress in progresses]

    assert epochs == sorted(epochs)
    assert [int(each) for each in epochs] == [progress.epoch for progress in progresses]
    assert epochs[-1] > 3


class Counting(Tokenizer):
    """A tokenizer that counts the texts that it has sampled."""

    sampled = 0

    def sample_batch(self, texts, **settings):
        drawn = super().sample_batch(texts, **settings)
        self.sampled += len(texts)
        return drawn


def test_the_next_part_is_sampled_while_one_is_trained_on_and_no_more(
    text, tokenizers, tmp_path, in_parts
):
    tokenizers.source.save(tmp_path / "model")
    counting = Tokenizers.same(Counting.load(tmp_path / "model"))
    stream = loader(text, counting, sampling=SAMPLING).batches(TrainingProgress())

    next(stream)

    both_sides_of_two_parts = 2 * 2 * 20
    wait_until(lambda: counting.source.sampled >= both_sides_of_two_parts)
    time.sleep(0.05)
    assert counting.source.sampled == both_sides_of_two_parts
    stream.close()


def word_of(line):
    """The number of some word of a line."""
    return len(line) % len(line.split())


@pytest.mark.parametrize("sampling", [None, SAMPLING])
def test_links_stay_with_their_pair_whatever_is_left_out_shuffled_or_resumed(
    text, tokenizers, sampling, tmp_path
):
    lines = ["", *text["source"][:40], "Katze " * 60]  # the first and the last are left out
    path = tmp_path / "train.align"
    path.write_text("".join(f"{word_of(line)}-0\n" if line else "\n" for line in lines))
    pairs = Dataset.from_dict({"source": lines, "target": lines}, features=corpus.TEXT)
    batches = loader(links.attach(pairs, path), tokenizers, sampling=sampling)

    everything = take(batches, 8)

    assert_same(take(batches, 3, everything[4][1]), everything[5:])
    rows = [row for batch, _ in everything for row in zip(*batch, strict=True)]
    for source, length, _, _, linked in rows:
        pieces = tokenizers.source.pieces(source[: max(0, length - 1)].tolist())
        line = tokenizers.source.decode(source[:length].tolist())
        words = {"".join(pieces[: place + 1]).count("▁") - 1 for place in np.nonzero(linked)[1]}
        assert words == ({word_of(line)} if line else set())


@pytest.mark.parametrize("sampling", [None, SAMPLING])
def test_the_sentences_of_a_batch_are_named_by_their_place_in_the_corpus(tokenizers, sampling):
    lines = [f"Katze {'Haus ' * (number % 7)}".strip() for number in range(40)]
    lines[3] = lines[20] = ""  # which is left out, and counts all the same
    text = Dataset.from_dict({"source": lines, "target": lines}, features=corpus.TEXT)
    batches = loader(text, tokenizers, sampling=sampling)
    start = TrainingProgress(epoch=1, batch=2)

    [(sides, _)] = take(batches, 1, start)

    numbers = batches.sentences(start)
    rows = zip(sides[0], sides[1], strict=True)
    held = [tokenizers.source.decode(ids[:length].tolist()) for ids, length in rows if length]
    assert sorted(lines[number - 1] for number in numbers) == sorted(held)
    assert len(set(numbers)) == len(numbers)


@pytest.fixture(scope="module")
def mixed(text):
    """Forty pairs of one corpus and twenty of another."""
    return text.add_column("corpus", np.array([0] * 40 + [1] * 20, np.int32))


def weighted(*weights):
    return [{"path": "unused", "weight": weight} for weight in weights]


def read(batches, number):
    """How often an epoch reads each pair of the corpus, in the corpus's order."""
    starts = [TrainingProgress(epoch=number), *(after for _, after in epoch(batches, number))]
    numbers = [each for start in starts[:-1] for each in batches.sentences(start)]
    return np.bincount(numbers, minlength=61)[1:]


@pytest.mark.parametrize("sampling", [None, SAMPLING])
def test_an_epoch_reads_corpora_by_their_weights(mixed, tokenizers, sampling):
    batches = loader(mixed, tokenizers, sampling=sampling, train=weighted(0.5, 3))

    first, second = (read(batches, number) for number in (0, 1))

    assert first[40:].tolist() == second[40:].tolist() == [3] * 20
    assert (first + second)[:40].tolist() == [1] * 40
    lines = [text for text, count in zip(mixed["source"], first, strict=True) for _ in range(count)]
    spelled = [tokenizers.source.decode(ids) for ids in sentences(epoch(batches, 0), 0)]
    assert sorted(spelled) == sorted(lines)


@pytest.mark.parametrize("sampling", [None, SAMPLING])
def test_an_epoch_reads_corpora_by_temperature(mixed, tokenizers, sampling):
    batches = loader(
        mixed, tokenizers, sampling=sampling, train=weighted(None, None), temperature=1e9
    )

    assert read(batches, 0).tolist() == [1] * 40 + [2] * 20


@pytest.mark.parametrize("sampling", [None, SAMPLING])
def test_of_several_corpora_the_batches_go_on_from_any_position(
    mixed, tokenizers, sampling, in_parts
):
    settings = {"sampling": sampling, "train": weighted(0.6, 2)}
    uninterrupted = take(loader(mixed, tokenizers, **settings), 30)
    assert uninterrupted[-1][1].epoch >= 2
    assert len({after.part for _, after in uninterrupted}) == (1 if sampling is None else 3)

    for consumed in (1, 5, 9, 10, 11, 17, 26):
        saved = uninterrupted[consumed - 1][1]
        rest = take(loader(mixed, tokenizers, **settings), 30 - consumed, saved)
        assert_same(rest, uninterrupted[consumed:])


def test_corpora_that_are_read_once_are_read_as_one(text, mixed, tokenizers):
    several = take(loader(mixed, tokenizers, train=weighted(None, None)), 20)

    assert_same(several, take(loader(text, tokenizers), 20))


def test_there_is_a_frame_for_the_longest_sample_that_is_kept(text, tokenizers):
    buckets = loader(text, tokenizers, sampling=SAMPLING).buckets

    assert len(buckets) <= 3
    assert (buckets[-1].source, buckets[-1].target) == (40, 40)


def test_prefetching_keeps_the_order_and_ends():
    assert list(prefetched(iter(range(20)), depth=3)) == list(range(20))
    assert list(prefetched(iter([]), depth=3)) == []


def test_prefetching_reads_ahead_by_its_depth_and_no_more():
    read = []

    def items():
        for number in range(10):
            read.append(number)
            yield number

    stream = prefetched(items(), depth=2)

    assert next(stream) == 0
    wait_until(lambda: len(read) == 3)  # two lie ready beside the one that was taken
    time.sleep(0.05)
    assert read == [0, 1, 2]
    stream.close()


def test_an_exception_of_the_reader_arrives_at_its_place():
    def items():
        yield 1
        raise OSError("the disk is gone")

    stream = prefetched(items())

    assert next(stream) == 1
    with pytest.raises(OSError, match="the disk is gone"):
        next(stream)


def test_closing_ends_the_thread_and_the_reading():
    read = []

    def items():
        for number in itertools.count():
            read.append(number)
            yield number

    before = set(threading.enumerate())
    stream = prefetched(items(), depth=2)
    next(stream)
    assert set(threading.enumerate()) > before

    stream.close()

    assert len(read) <= 3
    assert set(threading.enumerate()) == before


def test_closing_waits_for_what_is_being_read_and_for_nothing_else():
    read, reading, closing = [], threading.Event(), threading.Event()

    def items():
        for number in itertools.count():
            if number == 1:
                reading.set()
                closing.wait(10)
            read.append(number)
            yield number

    stream = prefetched(items(), depth=4)
    next(stream)
    reading.wait(10)
    threading.Timer(0.1, closing.set).start()
    stream.close()

    assert read == [0, 1]


def wait_until(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)
