"""What processes must have in common before the first step."""

import dataclasses
from concurrent.futures import ThreadPoolExecutor

import pytest
from datasets import Dataset
from members import threads

from nmt import configfile
from nmt.data import fingerprints
from nmt.errors import ClusterError
from nmt.run import Run
from nmt.training import agreement

PAIRS = {"source": ["a b", "c"], "target": ["d", "e f"]}


def compared(*found):
    """What each of some processes says of what they have found."""

    def compare(member, own):
        try:
            agreement.compare(member, own)
        except ClusterError as error:
            return str(error)
        return "agreed"

    with ThreadPoolExecutor(len(found)) as pool:
        return list(pool.map(compare, threads(len(found)), found))


def test_processes_with_the_same_agree():
    assert compared(*[{"corpus": "1", "tokenizer": "2"}] * 3) == ["agreed"] * 3


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ([{"corpus": "1", "tokenizer": "3"}], r"process 1 on \S+ has another tokenizer than proc"),
        ([{"corpus": "2", "tokenizer": "2"}], r"process 1 on \S+ has another corpus than process"),
        ([{"corpus": "2", "tokenizer": "3"}], r"process 1 on \S+ has another corpus, tokenizer t"),
        (
            [{"corpus": "1", "tokenizer": "2"}, {"corpus": "2", "tokenizer": "2"}],
            r"process 2 on \S+ has another corpus than process 0 on \S+; give all of them the same",
        ),
    ],
)
def test_what_differs_is_named_by_all(others, expected):
    first, *same = compared({"corpus": "1", "tokenizer": "2"}, *others)

    assert set(same) == {first}
    with pytest.raises(ClusterError, match=expected):
        raise ClusterError(first)


@pytest.mark.parametrize("shared", [True, False])
def test_a_run_folder_that_is_not_shared_is_named_by_all(tmp_path, monkeypatch, shared):
    monkeypatch.setattr(agreement, "CACHED", 0)
    (tmp_path / "first" / "tokenizer").mkdir(parents=True)
    config = configfile.validate({"data": {"train": "a", "validation": "b"}})
    runs = [Run(tmp_path / name, config) for name in ("first", "first" if shared else "second")]

    def checked(run, member):
        try:
            agreement.check_folder(dataclasses.replace(run, processes=member))
        except ClusterError as error:
            return str(error)
        return None

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(checked, runs, threads(2)))

    rest = "is not seen by all other processes; give run=... a folder that they share"
    expected = [f"{run.path}: what process 0 has written there {rest}" for run in runs]
    assert found == ([None, None] if shared else expected)


@pytest.mark.parametrize(
    "other",
    [
        {"source": ["a b", "c"], "target": ["d", "e  f"]},
        {"source": ["c", "a b"], "target": ["e f", "d"]},
        {"source": ["a", "b c"], "target": ["d", "e f"]},
        {"source": ["a b"], "target": ["d"]},
        {"source": PAIRS["target"], "target": PAIRS["source"]},
        {**PAIRS, "links": [[0, 0], [0, 0]]},
    ],
)
def test_texts_that_differ_have_other_fingerprints(other):
    assert fingerprints.of_content(Dataset.from_dict(other)) != of_pairs()


def test_the_same_rows_have_one_fingerprint_wherever_they_are_stored(tmp_path):
    whole = Dataset.from_dict({side: ["x", *lines, "y"] for side, lines in PAIRS.items()})
    Dataset.from_dict(PAIRS).to_parquet(tmp_path / "pairs.parquet")
    stored = Dataset.from_parquet(str(tmp_path / "pairs.parquet"), cache_dir=str(tmp_path))

    for same in (whole.select([1, 2]), whole.select(range(1, 3)), stored):
        assert fingerprints.of_content(same) == of_pairs()


def of_pairs():
    return fingerprints.of_content(Dataset.from_dict(PAIRS))
