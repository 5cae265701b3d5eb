"""Memory maps of this process, of which compiled programs take many.

Linux limits their number (`sysctl vm.max_map_count`). Without any left LLVM ends the process.
"""

from pathlib import Path

USUAL = 65_530  # the limit of most systems


def limit() -> int:
    """Returns how many maps this process can have, or the usual limit where that is not known."""
    try:
        return int(Path("/proc/sys/vm/max_map_count").read_text())
    except (OSError, ValueError):  # not Linux, or a sandbox
        return USUAL


def used() -> int:
    """Returns how many maps this process has, or 0 where that is not known."""
    try:
        return Path("/proc/self/maps").read_bytes().count(b"\n")
    except OSError:
        return 0
