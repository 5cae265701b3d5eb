"""Real processes, and a corpus for them."""

import pytest
import tiny
from together import Training

from nmt.data import embedded


@pytest.fixture
def training(tmp_path):
    found = Training(tmp_path)
    yield found
    for process in found.processes:
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def pairs(tmp_path_factory):
    """The first pairs of the embedded corpus with their links; 60 and 6 fill no last batch."""
    folder = tmp_path_factory.mktemp("pairs")
    for name, count in {"train": 60, "val": 6}.items():
        chosen = embedded.pairs({"train": "train", "val": "validation"}[name])[:count]
        sides = [pair.source for pair in chosen], [pair.target for pair in chosen]
        tiny.write_side_by_side(folder, name, *sides)
        links = [" ".join(f"{i}-{j}" for i, j in sorted(pair.links)) for pair in chosen]
        (folder / f"{name}.links").write_text("\n".join(links) + "\n")
    return folder
