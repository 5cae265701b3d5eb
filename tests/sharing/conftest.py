"""A bundle to be changed."""

import shutil

import pytest


@pytest.fixture
def bundle(copy_bundle, tmp_path):
    """A copy of the bundle of the model that copies letters."""
    return shutil.copytree(copy_bundle, tmp_path / "bundle")
