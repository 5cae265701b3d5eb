"""What every group of processes promises."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from members import threads

from nmt.processes import OneProcess

# All members of each group; a new kind of group is a line here.
GROUPS = {"one process": [OneProcess()], "two threads": threads(2), "three threads": threads(3)}


@pytest.fixture(params=GROUPS.values(), ids=GROUPS.keys())
def each(request):
    """Calls a function with every member and its number, all at the same time."""
    members = request.param

    def call(function):
        with ThreadPoolExecutor(len(members)) as pool:
            return list(pool.map(function, members, range(len(members))))

    return call


def test_one_of_them_is_the_main_one(each):
    assert sum(each(lambda member, _: member.is_main)) == 1


@pytest.mark.parametrize("number", [0, 6, 48])
def test_their_rows_together_are_all_rows_once_and_in_order(each, number):
    parts = each(lambda member, _: list(range(number))[member.rows(number)])

    assert [row for part in parts for row in part] == list(range(number))
    assert len({len(part) for part in parts}) == 1  # each of its devices gets as much


def test_all_of_them_know_of_a_flag_that_one_has(each):
    flags = [
        each(lambda member, index, holder=holder: member.any(index == holder))
        for holder in (0, None, 0)
    ]

    assert [set(answers) for answers in flags] == [{True}, {False}, {True}]


def test_none_goes_on_before_all_have_come(each):
    def come(member, index):
        time.sleep(0.02 * index)
        came = time.monotonic()
        member.barrier()
        return came, time.monotonic()

    came, went = zip(*each(come), strict=True)

    assert max(came) <= min(went)
