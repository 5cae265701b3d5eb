import resource
import subprocess
import sys

import pytest

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


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc has mallopt")
def test_freed_memory_is_used_again_without_page_faults():
    faults = {
        mode: int(
            subprocess.run(
                [sys.executable, "-c", PROGRAM, mode], capture_output=True, check=True
            ).stdout
        )
        for mode in ("keep", "default")
    }

    pages = 18 * 2**26 // resource.getpagesize()
    assert faults["default"] > 0.5 * pages
    assert faults["keep"] < 0.01 * pages
