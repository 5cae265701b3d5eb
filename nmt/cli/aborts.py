"""One line, instead of a report and a stack trace, when JAX ends a process that has lost others."""

import os
import subprocess
import sys

# JAX ends the process from a thread of C++, after which no Python of it runs. So what libraries
# write to the standard error goes through another process, which has the last word.
_FILTER = """
import sys
aborted = False
for line in sys.stdin.buffer:
    aborted = aborted or b"JAX distributed service detected fatal errors" in line
    if not aborted and b"coordination_service" not in line:
        sys.stdout.buffer.write(line)
        sys.stdout.flush()
if aborted:
    print(sys.argv[1])
"""


def explained_by(line: str) -> None:
    """Has this process say a line, and nothing else, if JAX's distributed runtime aborts it.

    `sys.stderr` itself goes on to write where it did.
    """
    terminal = os.dup(2)
    said = subprocess.Popen(
        [sys.executable, "-SE", "-c", _FILTER, line],
        stdin=subprocess.PIPE,
        stdout=terminal,
        start_new_session=True,  # Ctrl-C is not for it
    )
    assert said.stdin is not None
    os.dup2(said.stdin.fileno(), 2)
    said.stdin.close()
    sys.stderr = os.fdopen(terminal, "w", 1, encoding="utf-8", errors="backslashreplace")
