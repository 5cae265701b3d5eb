"""Bundles of the model that copies letters."""

import shutil

import pytest

from nmt.run import Run
from nmt.sharing.export import write


@pytest.fixture(scope="session")
def copy_bundle(copy_run, tmp_path_factory):
    """The bundle of the run, without its card; tests only read it."""
    run = Run.open(copy_run)
    folder = tmp_path_factory.mktemp("shared") / "bundle"
    write(run, folder, run.checkpoints.find("best"), "float32")
    return folder


@pytest.fixture
def bundle(copy_bundle, tmp_path):
    """A copy of the bundle, to be changed."""
    return shutil.copytree(copy_bundle, tmp_path / "bundle")
