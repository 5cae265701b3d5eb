"""Batches of a stream: bounded, exact from any progress on, each pair once an epoch."""

import dataclasses
import itertools
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from members import threads
from taken import take, whole

from nmt import configfile
from nmt.checkpoints import TrainingProgress
from nmt.data import corpus, tokenizer_training
from nmt.data.streams import Stream
from nmt.errors import ClusterError, DataError
from nmt.training.stream_loader import StreamLoader

PAIRS = 70  # in three files; the last of them has ten
BUFFER = 20


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stream")
    random = np.random.default_rng(0)
    lines = [" ".join(random.choice(list("abcdefgh"), random.integers(1, 9))) for _ in range(PAIRS)]
    for number, part in enumerate((lines[:30], lines[30:60], lines[60:])):
        for language in ("de", "en"):
            text = "".join(f"{line}\n" for line in part)
            (folder / f"x{number}.{language}").write_text(text)
    return folder


def opened(folder, *, sampling=None, seed=1, name="x*", buffer=BUFFER, vocabulary=16):
    tree = {
        "seed": seed,
        "data": {
            "train": str(folder / name),
            "validation": "unused",
            "stream": {"buffer": buffer, "sample": 40},
            "max_length": 40,
            "batch": {"sentences": 8, "buckets": 3},
        },
        "tokenizer": {"vocabulary_size": vocabulary, "byte_fallback": False, "sampling": sampling},
        "training": {"max_steps": 10},
    }
    config = configfile.validate(tree)
    stream = Stream.of(config.data)
    text = stream.training.text
    tokenizers = tokenizer_training.train(text["source"], text["target"], config.tokenizer)
    sample, _ = corpus.filter_pairs(corpus.encode(text, tokenizers), config.data)
    return StreamLoader(stream, sample, tokenizers, config)


@pytest.fixture(scope="module")
def loaders(folder):
    return {
        bool(sampling): opened(folder, sampling=sampling) for sampling in (None, {"alpha": 0.2})
    }


@pytest.fixture(scope="module")
def uninterrupted(loaders):
    """28 batches, more than two epochs, without and with subword sampling."""
    return {sampling: take(loader, 28) for sampling, loader in loaders.items()}


def of_epoch(batches, number):
    """The batches of an epoch: from its first progress to the first one of the next."""
    starts = [TrainingProgress(), *(after for _, after in batches)]
    return [batch for (batch, _), start in zip(batches, starts, strict=False)
            if start.epoch == number]  # fmt: skip


def sentences(loader, batches):
    """The text of every row that is not padding."""
    model = loader.tokenizers.source
    return sorted(
        model.decode(row[:length].tolist())
        for source, lengths, *_ in batches
        for row, length in zip(source, lengths, strict=True)
        if length
    )


@pytest.mark.parametrize("sampling", [False, True])
def test_an_epoch_reads_every_pair_once(folder, loaders, uninterrupted, sampling):
    batches = uninterrupted[sampling]
    lines = [line for path in folder.glob("x*.de") for line in path.read_text().splitlines()]

    for epoch in (0, 1):
        assert sentences(loaders[sampling], of_epoch(batches, epoch)) == sorted(lines)


@pytest.mark.parametrize("sampling", [False, True])
@given(stop=st.integers(1, 27))
@settings(max_examples=8)
def test_from_any_progress_the_batches_are_those_of_a_run_without_a_stop(
    loaders, uninterrupted, sampling, stop
):
    whole = uninterrupted[sampling]

    rest = take(loaders[sampling], 28 - stop, whole[stop - 1][1])

    for (batch, after), (other, progress) in zip(rest, whole[stop:], strict=True):
        assert after == progress
        for side, other_side in zip(batch, other, strict=True):
            np.testing.assert_array_equal(side, other_side)


def test_a_progress_tells_epoch_part_and_batch(uninterrupted):
    progresses = [after for _, after in uninterrupted[False]]

    places = [(each.epoch, each.part, each.batch) for each in progresses]
    assert places == sorted(places)
    assert {epoch for epoch, *_ in places} >= {0, 1, 2}
    assert all((each.part == 0) == (each.stream["read"] == 0) for each in progresses)
    firsts = {each.part: each.stream["read"] for each in progresses if each.part}
    assert list(firsts) == [1, 2]
    assert all(BUFFER * part <= read < PAIRS for part, read in firsts.items())


def test_batches_do_not_go_on_with_other_files(folder, tmp_path, uninterrupted):
    for path in folder.glob("x*"):
        for name in {path.name, path.name.replace("x0", "x9")}:
            (tmp_path / name).write_bytes(path.read_bytes())
    changed = opened(tmp_path)
    places = {(each.epoch > 0, each.part): each for _, each in uninterrupted[False]}

    for progress in places.values():
        with pytest.raises(DataError, match=r"^data\.train: the files are not those that training"):
            take(changed, 1, progress)
    assert len(take(changed, 1)) == 1


def test_no_more_than_three_buffers_are_held(folder, loaders):
    read = []

    class Counted(Stream):
        def buffers(self, size, **where):
            for state, rows in super().buffers(size, **where):
                read.append(len(rows))
                yield state, rows

    loader = loaders[False]
    counted = dataclasses.replace(loader, stream=Counted(loader.config.data, loader.stream.lanes))
    batches = counted.batches(TrainingProgress())
    trained = 0
    for batch, _ in itertools.islice(batches, 60):
        trained += int((np.asarray(batch.source_lengths) > 0).sum())
        # Three buffers, the batches that are placed ahead on the devices, and this one's rows.
        assert sum(read) - trained <= 3 * (2 * BUFFER + 3) + 2 * 8
    batches.close()


def test_epochs_and_seeds_have_orders_of_their_own(folder, uninterrupted):
    batches = uninterrupted[False]
    orders = [[batch[0].tolist() for batch in of_epoch(batches, epoch)] for epoch in (0, 1)]
    other = [batch[0].tolist() for batch, _ in take(opened(folder, seed=2), len(orders[0]))]

    assert orders[0] != orders[1]
    assert orders[0] != other


def test_two_processes_share_the_rows_of_one(loaders, uninterrupted):
    alone = uninterrupted[False][:12]
    parts = together([loaders[False]] * 2, 12)

    for (batch, after), (first, one), (second, two) in zip(alone, *parts, strict=True):
        assert after == one == two
        for side, *halves in zip(batch[:4], first[:4], second[:4], strict=True):  # without links
            np.testing.assert_array_equal(np.concatenate(halves), side)


@pytest.mark.parametrize("sampling", [None, {"alpha": 0.2}])
@pytest.mark.parametrize(
    ("line", "change", "part"),  # three files give seven pairs at a time: 21, 31 and 18 a part
    [(0, "x c", 0), (69, "x", 1), (69, None, 1), (55, "x c", 2), (59, None, 2)],
)
def test_processes_that_read_other_pairs_end_before_they_train_on_them(
    folder, tmp_path, loaders, uninterrupted, sampling, line, change, part
):
    for path in folder.glob("x*"):
        lines = path.read_text().splitlines()
        first = 30 * int(path.stem[1:])
        if first <= line < first + 30:
            lines[line - first : line - first + 1] = [] if change is None else [change]
        (tmp_path / path.name).write_text("".join(f"{each}\n" for each in lines))
    same = loaders[sampling is not None]
    other = dataclasses.replace(same, stream=Stream.of(opened(tmp_path).config.data))

    ends = together([same, other], 28)

    (batches, message), (others, said) = ends
    assert message == said
    assert message.startswith("process 1 on ")
    assert " has another stream of training pairs than process 0 on " in message
    alone, one, two = (
        [(after.epoch, after.part, after.batch) for _, after in each]
        for each in (uninterrupted[sampling is not None], batches, others)
    )
    assert one == two == [place for place in alone if place < (0, part)]


def test_no_more_than_what_is_left_of_sampled_pairs_is_padded_to_the_longest(tmp_path):
    for language in ("de", "en"):
        (tmp_path / f"x.{language}").write_text("abcdefgh abc gfed\n" * 80)  # 4 pieces or so
    loader = opened(tmp_path, sampling={"alpha": 0.01}, buffer=80, vocabulary=14)

    widths = [batch[0].shape[1] for batch, _ in take(loader, 10)]

    assert widths.count(40) <= 1


def together(loaders, number):
    """What members of a group take, each of a loader; and what they say if they end before."""

    def taken(member, loader):
        found = []
        try:
            for batch, after in itertools.islice(
                dataclasses.replace(loader, processes=member).batches(TrainingProgress()), number
            ):
                found.append((whole(batch), after))
        except ClusterError as error:
            return found, str(error)
        return found

    with ThreadPoolExecutor(len(loaders)) as pool:
        return list(pool.map(taken, threads(len(loaders)), loaders))


def test_sentences_are_numbered_in_the_order_of_the_epoch(loaders, uninterrupted):
    loader, batches = loaders[False], uninterrupted[False][:9]
    read = [row.pair[0] for _, rows in loader.stream.buffers(BUFFER, order=loader._drawn(0))
            for row in rows]  # fmt: skip

    for progress, (batch, _) in zip([after for _, after in batches], batches[1:], strict=False):
        numbers = loader.sentences(progress)
        assert sorted(read[number - 1] for number in numbers) == sentences(loader, [batch])


def test_pairs_without_use_are_left_out_wherever_they_are(folder, tmp_path):
    lines = ["", "b c e d a f", *["a b c"] * 8, *[" ".join("a" * 60)] * 40, "b d", *[""] * 30]
    for language in ("de", "en"):
        (tmp_path / f"y.{language}").write_text("".join(f"{line}\n" for line in lines))
    loader = opened(tmp_path, name="y", buffer=10, vocabulary=12)

    batches = take(loader, 6)

    assert sentences(loader, of_epoch(batches, 0)) == sorted(["b c e d a f", *["a b c"] * 8, "b d"])
    assert batches[-1][1].epoch >= 2


def test_an_epoch_without_use_is_an_error(folder, loaders):
    limits = loaders[False].config.data.model_copy(update={"max_length": 1})
    config = loaders[False].config.model_copy(update={"data": limits})

    with pytest.raises(DataError, match=r"data\.stream: an epoch has no pair to train on"):
        take(dataclasses.replace(loaders[False], config=config), 1)
