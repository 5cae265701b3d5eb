"""The command `nmt`, which is also `python -m nmt`."""

import signal
from types import FrameType

IMPORT = "<frozen importlib._bootstrap>"  # the file of Python's own frames of an import


def main() -> None:
    """Runs the command line, which Ctrl-C ends without a stack trace from the first import on."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # a script may ignore it
        signal.signal(signal.SIGINT, _stop)
    from nmt.cli import main as run

    run()


def _stop(number: int, frame: FrameType | None) -> None:
    """Raises KeyboardInterrupt, or ends the process at once while something is imported.

    Extensions in C, such as that of JAX, crash if an exception comes while they start.
    """
    while frame is not None:
        if frame.f_code.co_filename == IMPORT:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        frame = frame.f_back
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
