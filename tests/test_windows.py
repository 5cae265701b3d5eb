"""What Windows lacks is not needed: here it is hidden, since no test runs on Windows itself."""

import subprocess
import sys

import pytest
import tiny
import yaml

# Windows has neither module, nor sysconf, opens no folders, and synchronises no file that is
# open for reading alone.
PROGRAM = """
import importlib, os, pkgutil, sys
import filelock, portalocker  # which have other ways on Windows, and not on Linux

sys.modules["fcntl"] = sys.modules["resource"] = None
del os.sysconf
opened, synchronised = os.open, os.fsync

def open_as_on_windows(path, flags, *rest, **options):
    if os.path.isdir(path):
        raise PermissionError(13, "Permission denied", str(path))
    return opened(path, flags, *rest, **options)

def fsync_as_on_windows(descriptor):
    os.write(descriptor, b"")  # fails on what is open for reading alone
    synchronised(descriptor)

os.open, os.fsync = open_as_on_windows, fsync_as_on_windows

import nmt
for module in pkgutil.walk_packages(nmt.__path__, "nmt."):
    if module.name != "nmt.__main__":
        importlib.import_module(module.name)

print(nmt.Translator.load(sys.argv[1]).translate(["a b c"])[0].text)
run = nmt.train(nmt.load_config(sys.argv[2]))
print(run.records()[0]["train/peak_memory_mib"], run.progress("last").step)
"""


@pytest.mark.slow
def test_everything_is_imported_a_run_is_made_and_translated_without_what_windows_lacks(
    tmp_path, copy_run
):
    settings = tiny.tree(
        tmp_path / "run", tiny.write_corpus(tmp_path), max_steps=1, log_every=1, validate_every=1
    )
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(settings))
    command = [sys.executable, "-c", PROGRAM, copy_run, tmp_path / "config.yaml"]

    done = subprocess.run(command, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["a b c", "None 1"]
