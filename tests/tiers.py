"""Which cases of a test `make test` leaves to `make test-slow`."""

import pytest


def slow_where(values, is_slow):
    """Returns the values as parameters of a test; those of which `is_slow` holds are slow."""
    return [pytest.param(each, marks=pytest.mark.slow if is_slow(each) else ()) for each in values]
