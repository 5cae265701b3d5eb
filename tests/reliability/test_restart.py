"""A training that goes on finds all of its programs compiled."""

import subprocess
import sys

import pytest
import runs
import yaml


@pytest.mark.slow
def test_a_training_that_goes_on_compiles_nothing(tmp_path, corpus, monkeypatch):
    cache = tmp_path / "cache"
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", str(cache))
    monkeypatch.setenv("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")

    def compiled_after(steps):
        """Returns the names of all programs that were compiled when so many steps are made."""
        config = tmp_path / "config.yaml"
        config.write_text(yaml.safe_dump(runs.tree(tmp_path / "run", corpus, max_steps=steps)))
        subprocess.run([sys.executable, "-m", "nmt", "train", str(config)], check=True)
        return {path.name for path in cache.iterdir() if not path.name.endswith("-atime")}

    at_first = compiled_after(6)

    assert any(name.startswith("jit_search") for name in at_first)
    assert compiled_after(9) == at_first
