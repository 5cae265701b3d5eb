"""Processes that do not outlive their test, and a corpus for them."""

import pytest
import tiny
from together import Processes

from nmt.data import embedded


@pytest.fixture
def processes(tmp_path):
    found = Processes(tmp_path)
    yield found
    for process in found.ever:
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def pairs(tmp_path_factory):
    """Short pairs of the embedded corpus with their links; 60 and 6 fill no last batch."""
    folder = tmp_path_factory.mktemp("pairs")
    for name, split, count in (("train", "train", 60), ("val", "validation", 6)):
        chosen = sorted(embedded.pairs(split)[:300], key=lambda pair: len(pair.source))[:count]
        sides = [pair.source for pair in chosen], [pair.target for pair in chosen]
        tiny.write_side_by_side(folder, name, *sides)
        links = [" ".join(f"{i}-{j}" for i, j in sorted(pair.links)) for pair in chosen]
        (folder / f"{name}.links").write_text("\n".join(links) + "\n")
    return folder
