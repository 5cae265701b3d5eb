import os
import resource
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only glibc has mallopt")
PAGES = 18 * 2**26 // resource.getpagesize()

PROGRAM = """
import resource, sys
from nmt.allocator import keep_freed_memory
if sys.argv[1] == "keep":
    keep_freed_memory()
for step in range(20):
    if step == 2:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    block = bytearray(2**26)  # 16,384 pages; freed and asked for again
    del block
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def page_faults(mode, **environment):
    """Returns the page faults of 18 blocks, as PROGRAM counts them in a process of its own."""
    command = [sys.executable, "-c", PROGRAM, mode]
    done = subprocess.run(command, capture_output=True, check=True, env=os.environ | environment)
    return int(done.stdout)


def test_freed_memory_is_used_again_without_page_faults():
    assert page_faults("default") > 0.5 * PAGES
    assert page_faults("keep", JAX_PLATFORMS="cpu") < 0.01 * PAGES


def test_with_a_plugin_for_a_gpu_the_allocator_stays_as_it_is(tmp_path):
    plugin = tmp_path / "jax_plugins" / "xla_cuda13"  # where jax[cuda13] has its own
    plugin.mkdir(parents=True)
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])

    assert page_faults("keep", PYTHONPATH=path, JAX_PLATFORMS="") > 0.5 * PAGES
    assert page_faults("keep", PYTHONPATH=path, JAX_PLATFORMS="cpu") < 0.01 * PAGES
