"""Ray, embedded in this machine or a cluster, and how many processes there is room for."""

import contextlib
import logging
import os
import secrets
import socket
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nmt.counting import counted
from nmt.errors import DataError, UserError

LOCAL = "local"
SECONDS = 10  # for a cluster to answer

# Ray reads these when it is imported. It would report what is no error otherwise.
QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_BACKEND_LOG_LEVEL": "fatal"}
# It listens on 127.0.0.1 only, on any system, and asks for a token, which it would write to a file.
ALONE = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_AUTH_MODE": "token"}
TOKEN = "RAY_AUTH_TOKEN"


@dataclass(frozen=True)
class Pool:
    """Where Ray runs, how many processes work there, and how many cores each has.

    Without `actors`, there are as many as there is room for.
    """

    address: str = LOCAL
    actors: int | None = None
    cores: int = 1


@dataclass(frozen=True)
class Opened:
    """A pool that is ready; `gpus` is the number of them that each process has."""

    ray: Any
    actors: int
    cores: int
    gpus: int


@contextlib.contextmanager
def opened(pool: Pool) -> Iterator[Opened]:
    """Starts Ray on this machine, or joins a cluster, and leaves it at the end.

    Raises:
        UserError: the package is not installed.
        DataError: there is no such cluster, or none that can be joined; it is too small; or its
            processes die.
    """
    _check_answers(pool.address)
    alone = {**ALONE, TOKEN: secrets.token_hex(32)} if pool.address == LOCAL else {}
    ray = _imported(QUIET | alone)
    options: dict[str, Any] = {"address": pool.address, "log_to_driver": False}
    if pool.address == LOCAL:  # what Ray calls CPUs are places; one more is for what reads
        cpus = pool.actors * pool.cores if pool.actors else os.cpu_count() or 1
        options |= {"num_cpus": cpus + 1, "include_dashboard": False}
    try:
        ray.init(logging_level="error", **options)
    except (OSError, ValueError, RuntimeError) as error:
        raise _unreachable(pool.address, error) from None
    try:
        _hush()
        nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        gpus = int(any(node.get("GPU") for node in nodes))
        yield Opened(ray, actors_of(pool, nodes), pool.cores, gpus)
    except ray.exceptions.RayActorError as error:
        raise DataError(
            f"--ray {pool.address}: a process died again and again at the same lines, as it does "
            "without enough memory: give fewer --actors, or a smaller decoding.batch"
        ) from error
    finally:
        ray.shutdown()


def actors_of(pool: Pool, nodes: Sequence[Mapping[str, float]]) -> int:
    """Returns the number of processes of a pool, on machines with these resources.

    Each has its cores on one machine, and a GPU if there are any. A CPU remains for what reads: if
    all are taken, Ray Data waits for one without end.

    Raises:
        DataError: there is no room for so many, or for any.
    """
    cpus = [int(node.get("CPU", 0)) for node in nodes]
    gpus = [int(node.get("GPU", 0)) for node in nodes]
    places = [count // pool.cores for count in cpus]
    if any(gpus):
        places = list(map(min, places, gpus))
    is_full = cpus == [place * pool.cores for place in places]
    room = max(0, sum(places) - is_full)
    wanted = pool.actors or max(1, room)
    if wanted <= room:
        return wanted
    remedy = "give fewer --cores-per-actor" if pool.cores > 1 else "start Ray with more"
    if room:
        remedy = f"give --actors {room}"
    raise DataError(
        f"--ray {pool.address}: {counted(wanted, 'actor')} of {counted(pool.cores, 'core')}"
        f"{' and a GPU' if any(gpus) else ''}, and one CPU to read, need "
        f"{wanted * pool.cores + 1} CPUs; there are {sum(cpus)} on "
        f"{counted(len(cpus), 'machine')}, with room for {room}: {remedy}, or add machines"
    )


def _check_answers(address: str) -> None:
    """Checks that something listens at HOST:PORT; Ray would try again for minutes."""
    if "://" in address:
        raise DataError(
            f"--ray {address}: clients of Ray from outside are not supported; give the command "
            "within the cluster, as by `ray job submit`, with --ray auto"
        )
    host, _, port = address.rpartition(":")
    if host and port.isdecimal():
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=SECONDS).close()
        except OSError as error:
            raise _unreachable(address, error) from None


def _unreachable(address: str, error: Exception) -> DataError:
    reason, *_ = str(error).splitlines() or [type(error).__name__]
    return DataError(
        f"--ray {address}: cannot be reached ({reason}); where it asks for a token, set "
        "RAY_AUTH_MODE=token"
    )


def _hush() -> None:
    """Keeps what Ray Data says of its own workings from the user."""
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module=r"ray\.")
    warnings.filterwarnings("ignore", message="`ray_remote_args`")


def _imported(environment: Mapping[str, str]) -> Any:
    for name, value in environment.items():
        os.environ.setdefault(name, value)
    try:
        import ray.data
    except ImportError:
        raise UserError("--ray needs the extra: pip install 'nmt[ray]'") from None
    return ray
