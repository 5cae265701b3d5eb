"""The command `nmt`, which is also `python -m nmt`."""

import signal


def main() -> None:
    """Runs the command line, which Ctrl-C ends without a stack trace while it is still imported."""
    at_first = signal.getsignal(signal.SIGINT)
    if at_first is signal.default_int_handler:  # a script may have it ignored
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from nmt.cli import main as run

    signal.signal(signal.SIGINT, at_first)
    run()


if __name__ == "__main__":
    main()
