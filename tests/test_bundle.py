"""Bundles: what `nmt export` writes translates as its run does, wherever it lies."""

import shutil

import numpy as np
import pytest

from nmt.inference.translator import Translator
from nmt.run import Run
from nmt.sharing import export

LINES = ["a b c", "h g f e d", "", "c c", "x"]


def exported(run, folder, **how):
    """Exports the best checkpoint of a run folder."""
    how = {"checkpoint": "best", "dtype": "float32", **how}
    with export.replaced(folder, force=False) as new:
        export.write(Run.open(run), new, **how)
    return folder


def assert_same(one, other):
    """Holds the translations of two translators equal, to the last bit."""
    for mine, theirs in zip(
        one.stream(LINES, n_best=3), other.stream(LINES, n_best=3), strict=True
    ):
        for a, b in zip(mine, theirs, strict=True):
            assert (a.text, a.score, a.log_prob) == (b.text, b.score, b.log_prob)
            np.testing.assert_array_equal(a.attention, b.attention)


@pytest.mark.parametrize("kind", ["copy_run", "reverse_run"])
def test_a_bundle_translates_as_its_run_when_that_is_gone(tmp_path, request, kind):
    run = shutil.copytree(request.getfixturevalue(kind), tmp_path / "run")
    original = Translator.load(run)
    exported(run, tmp_path / "bundle")
    (tmp_path / "bundle").rename(tmp_path / "moved")
    shutil.rmtree(run)

    bundle = Translator.load(tmp_path / "moved")

    assert_same(bundle, original)
