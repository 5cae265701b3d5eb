import pytest

from nmt.counting import counted


@pytest.mark.parametrize(
    ("number", "written"),
    [(0, "0 lines"), (1, "1 line"), (2, "2 lines"), (12_345, "12,345 lines")],
)
def test_one_of_a_thing_alone_is_singular(number, written):
    assert counted(number, "line") == written
