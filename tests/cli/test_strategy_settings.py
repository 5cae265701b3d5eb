"""Strategies of the search on the command line: what they write, and mistakes in their settings."""

import pytest

SAMPLE = ("decoding.strategy=sample", "decoding.strategy.temperature=2")


def test_samples_are_those_of_their_seed(nmt, copy_run, text):
    source = text("in.txt", "a b c d e f", "", "b c")
    command = ("translate", copy_run, source, *SAMPLE, "--n-best", 4)

    first, again, other = nmt(*command), nmt(*command), nmt(*command, "decoding.strategy.seed=2")

    assert first[0] == 0
    assert first == again
    assert first[1] != other[1]
    entries = [line.split(" ||| ") for line in first[1].splitlines()]
    numbers = [number for number, *_ in entries]
    assert numbers == sorted(numbers)
    assert (numbers.count("1"), set(numbers)) == (1, {"0", "1", "2"})
    scores = [float(entry[3]) for entry in entries if entry[0] == "0"]
    assert 1 < len(scores) <= 4
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("decoding.strategy=sampel", "decoding.strategy: unknown kind 'sampel'; did you mean samp"),
        ("decoding.strategy.temperature=2", "unknown key for `kind: beam`"),
        ("decoding.strategy=greedy decoding.strategy.seed=2", "unknown key for `kind: greedy`"),
        (
            "decoding.strategy=sample decoding.strategy.temperature=0",
            "decoding.strategy.temperature: input should be greater than or equal to 0.01, not 0",
        ),
        (
            "decoding.strategy=sample decoding.strategy.top_k=0",
            "decoding.strategy.top_k: input should be greater than or equal to 1, not 0",
        ),
        (
            "decoding.strategy=sample decoding.strategy.top_p=0",
            "decoding.strategy.top_p: input should be greater than 0, not 0",
        ),
        (
            "decoding.strategy=sample decoding.strategy.epsilon=1",
            "decoding.strategy.epsilon: input should be less than 1, not 1",
        ),
        (
            "decoding.strategy=diverse_beam decoding.beam=8",
            "decoding: a beam of 8 cannot be divided into 5 equal groups: set `beam` to a multiple "
            "of `strategy.groups`",
        ),
        (
            "decoding.strategy=greedy --n-best 2",
            "2 translations of a line cannot be had by greedy search; ask for 1, or choose "
            "decoding.strategy=beam or sample",
        ),
        (
            "--n-best 7",
            "7 translations of a line need a beam of 7 at least, and it is 5; set decoding.beam=7, "
            "as --beam 7 does",
        ),
        (
            "--beam 8 decoding.strategy=greedy",
            "a beam of 8 has no effect with decoding.strategy=greedy: leave out one",
        ),
        (
            "decoding.strategy=sample decoding.beam=8",
            "a beam of 8 has no effect with decoding.strategy=sample: leave out one",
        ),
    ],
)
def test_a_mistake_in_a_strategy_is_named(nmt, copy_run, text, settings, message):
    code, _, err = nmt("translate", copy_run, text("in.txt", "a"), *settings.split())

    assert code == 2
    assert message in err
    assert len(err.splitlines()) == 1
