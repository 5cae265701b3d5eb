"""What is raised passes from one process to another."""

import pickle
from pathlib import Path

from nmt.errors import DataError, Interrupted


def test_what_is_raised_keeps_what_it_tells():
    stopped = pickle.loads(pickle.dumps(Interrupted("stopped", signal="SIGINT", run=Path("x"))))
    error = pickle.loads(pickle.dumps(DataError("x: no such file")))

    assert (str(stopped), stopped.signal, stopped.run) == ("stopped", "SIGINT", Path("x"))
    assert (type(error), str(error)) == (DataError, "x: no such file")
