"""One line, instead of a report and a stack trace, when JAX ends a process that has lost others."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator

# JAX ends the process from a thread of C++, after which no Python of it runs. So what libraries
# write to the standard error goes through another process, which has the last word.
_FILTER = """
import sys
aborted = said = False
for line in sys.stdin.buffer:
    aborted = aborted or b"JAX distributed service detected fatal errors" in line
    if not aborted and b"coordination_service" not in line:
        said = said or line.startswith(b"nmt: ")
        sys.stdout.buffer.write(line)
        sys.stdout.flush()
if aborted and not said:
    print(sys.argv[1])
"""


@contextlib.contextmanager
def explained_by(line: str) -> Iterator[None]:
    """Has this process say a line if JAX's distributed runtime aborts it, from now to its end.

    `sys.stderr` itself goes on to write where it did, until there is an error.
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
    filtered = sys.stderr
    sys.stderr = os.fdopen(terminal, "w", 1, encoding="utf-8", errors="backslashreplace")
    try:
        yield
    except BaseException:
        sys.stderr = filtered  # JAX may abort too, and one line is enough
        raise
