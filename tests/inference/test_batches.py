from hypothesis import given
from hypothesis import strategies as st

from nmt.inference.batches import FEW, WIDTHS, Capacity, sentence_batches, width_of

windows = st.lists(st.lists(st.integers(1, 2048), min_size=1, max_size=60), min_size=1, max_size=30)
rooms = st.builds(
    Capacity,
    batch=st.sampled_from([1, 3, 8, 64]),
    beam=st.sampled_from([1, 5, 12]),
    devices=st.sampled_from([1, 2, 8]),
)


@given(lengths=st.lists(st.integers(1, 700), max_size=400), capacity=rooms)
def test_every_sentence_is_in_one_lot_that_holds_it(lengths, capacity):
    found = list(sentence_batches(range(len(lengths)), lengths, capacity=capacity))

    assert sorted(number for batch in found for number in batch.numbers) == list(
        range(len(lengths))
    )
    for batch in found:
        assert 1 <= len(batch.numbers) <= batch.size <= capacity.batch * capacity.devices
        assert batch.size % capacity.devices == 0
        assert max(lengths[number] for number in batch.numbers) <= batch.width
    longest = [max(lengths[number] for number in batch.numbers) for batch in found]
    assert longest == sorted(longest, reverse=True)


@given(windows=windows, capacity=rooms)
def test_a_file_of_any_lengths_has_at_most_twelve_shapes(windows, capacity):
    # All windows of a file are full but for the last one.
    full = [window * (2 * FEW) for window in windows[:-1]]

    shapes = {
        (batch.size, batch.width)
        for window in [*full, windows[-1]]
        for batch in sentence_batches(range(len(window)), window, capacity=capacity)
    }

    assert len(shapes) <= 12


def test_a_file_with_all_widths_reaches_that_bound():
    lengths = [*WIDTHS, 1024, 2048] * 256
    shapes = {
        (batch.size, batch.width)
        for batch in sentence_batches(range(len(lengths)), lengths, capacity=Capacity(64))
    }
    shapes |= {
        (batch.size, batch.width) for batch in sentence_batches([0], [3], capacity=Capacity(64))
    }

    assert len(shapes) == 12


def test_only_sentences_that_are_named_are_in_lots():
    (batch,) = sentence_batches([3, 1], [9, 5, 9, 7], capacity=Capacity(64))

    assert batch.numbers == (3, 1)
    assert (batch.size, batch.width) == (FEW, 8)


def test_a_sentence_alone_has_a_program_of_its_own():
    (batch,) = sentence_batches([0], [20], capacity=Capacity(64))

    assert (batch.size, batch.width) == (1, 24)


def test_wide_beams_and_long_sentences_share_the_room():
    sizes = {beam: [Capacity(64, beam=beam).size(width) for width in WIDTHS] for beam in (1, 4, 16)}

    assert sizes == {
        1: [64, 64, 64, 64, 64, 64, 64, 32, 16],
        4: [64, 64, 64, 64, 42, 32, 16, 8, 4],
        16: [16, 16, 16, 16, 10, 8, 4, 2, 1],
    }
    assert Capacity(64, beam=4, devices=2).size(128) == 32


def test_a_lot_ends_where_narrower_sentences_begin_if_it_is_half_full():
    lengths = [30] * 6 + [20] * 5 + [10] * 2 + [5] * 4  # a batch of such widths holds twelve

    found = [batch.numbers for batch in sentence_batches(range(17), lengths, capacity=Capacity(12))]

    assert found == [(0, 1, 2, 3, 4, 5), (6, 7, 8, 9, 10, 11), (12, 13, 14, 15, 16)]


def test_widths_beyond_the_last_are_powers_of_two():
    assert [width_of(length) for length in (1, 8, 9, 512, 513, 1025)] == [8, 8, 16, 512, 1024, 2048]
