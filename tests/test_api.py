import subprocess
import sys

import nmt


def test_every_public_name_is_there_and_sorted():
    assert nmt.__all__ == sorted(nmt.__all__)
    for name in nmt.__all__:
        assert getattr(nmt, name).__doc__, f"{name} has no docstring"


def test_the_public_names_are_these():
    assert set(nmt.__all__) == {
        "Aligner", "Caption", "Captioner", "Config", "ConfigError", "Constraints", "DataError",
        "Interrupted", "Run", "RunError", "Translation", "Translator", "UserError", "evaluate",
        "load_config", "plot_alignment", "train",
    }  # fmt: skip


def test_every_lazy_name_is_public():
    assert set(nmt._LAZY) < set(nmt.__all__)


def test_modules_that_docs_name_are_there_without_an_import_of_their_own():
    used = "nmt.allocator.keep_freed_memory, nmt.markup.translate, nmt.plotting.heatmap"
    subprocess.run([sys.executable, "-c", f"import nmt; {used}"], check=True)


def test_dir_lists_the_public_names():
    assert dir(nmt) == nmt.__all__


def test_an_unknown_name_is_an_attribute_error():
    import pytest

    with pytest.raises(AttributeError, match="module 'nmt' has no attribute 'translator_'"):
        _ = nmt.translator_
