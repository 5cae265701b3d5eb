"""For how many processes a cluster has room."""

import socket

import pytest

from nmt.cluster.pool import Pool, actors_of, opened
from nmt.errors import DataError

# CPUs and GPUs of each machine, cores of each actor, and the actors there is room for.
ROOM = [
    ([(8, 0)], 1, 7),
    ([(8, 0)], 4, 1),  # the second would leave no CPU to read
    ([(9, 0)], 4, 2),
    ([(4, 0), (4, 0)], 4, 1),
    ([(4, 0), (1, 0)], 4, 1),  # the small machine reads
    ([(3, 0), (3, 0)], 2, 2),  # each has a CPU left
    ([(3, 0), (3, 0)], 4, 0),  # an actor is on one machine
    ([(16, 4), (16, 4), (8, 0)], 1, 8),  # one for each GPU
    ([(2, 4)], 1, 1),  # CPUs are scarcer than GPUs
]


def machines(sizes):
    return [{"CPU": float(cpus), **({"GPU": float(gpus)} if gpus else {})} for cpus, gpus in sizes]


@pytest.mark.parametrize(("sizes", "cores", "room"), ROOM)
def test_there_is_room_for_actors_and_for_one_cpu_to_read(sizes, cores, room):
    pool = Pool("auto", None, cores)

    if room:
        assert actors_of(pool, machines(sizes)) == room
        assert actors_of(Pool("auto", room, cores), machines(sizes)) == room
    with pytest.raises(DataError):
        actors_of(Pool("auto", room + 1, cores), machines(sizes))


TOO_SMALL = [
    (
        Pool("auto", 4, 1),
        [(4, 0)],
        "--ray auto: 4 actors of 1 core, and one CPU to read, need 5 CPUs; there are 4 on 1 "
        "machine, with room for 3: give --actors 3, or add machines",
    ),
    (
        Pool("10.0.0.1:6379", None, 4),
        [(4, 0)],
        "--ray 10.0.0.1:6379: 1 actor of 4 cores, and one CPU to read, need 5 CPUs; there are 4 on "
        "1 machine, with room for 0: give fewer --cores-per-actor, or add machines",
    ),
    (
        Pool("auto", 3, 1),
        [(8, 1), (8, 1)],
        "--ray auto: 3 actors of 1 core and a GPU, and one CPU to read, need 4 CPUs; there are 16 "
        "on 2 machines, with room for 2: give --actors 2, or add machines",
    ),
]


@pytest.mark.parametrize(("pool", "sizes", "message"), TOO_SMALL)
def test_a_cluster_that_is_too_small_is_told_what_it_lacks(pool, sizes, message):
    with pytest.raises(DataError) as error:
        actors_of(pool, machines(sizes))

    assert str(error.value) == message


def test_a_cluster_that_does_not_answer_is_named_at_once():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    with (
        pytest.raises(DataError, match=rf"^--ray 127\.0\.0\.1:{port}: cannot be reached \("),
        opened(Pool(f"127.0.0.1:{port}")),
    ):
        pass
