"""One corpus, and programs that are compiled once, for all trainings of this folder."""

import pytest
import runs
import tiny
from compiled import shared_steps

from nmt.training import session


@pytest.fixture(scope="package", autouse=True)
def compiled_once():
    """Has trainings of the same configuration in this process share their steps."""
    with shared_steps():
        yield


@pytest.fixture(scope="package")
def corpus(tmp_path_factory):
    return tiny.write_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="package")
def undisturbed(tmp_path_factory, corpus):
    """A run of nine steps, 27 batches, without a stop."""
    path = tmp_path_factory.mktemp("undisturbed") / "run"
    return session.train(runs.config(path, corpus, max_steps=9))
