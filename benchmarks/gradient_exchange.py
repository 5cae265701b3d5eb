"""Time in which processes add up their gradients: what training on several hosts costs a step.

    python benchmarks/gradient_exchange.py                  # 1, 2 and 4 processes on this machine
    python benchmarks/gradient_exchange.py --coordinator HOST:PORT --processes N --process I

An array of so many MB is added over one device of each process, as `nmt train` adds gradients. With
a ring, each of n processes sends 2 (n - 1) / n times the array, which gives the rate in the last
column. The figures are medians.
"""

import argparse
import socket
import subprocess
import sys
import time
from statistics import median

SIZES = 1, 4, 16, 71  # MB; the last one is the gradient of 17.7 million parameters
ROUNDS = 20


def measure(coordinator: str, processes: int, process: int) -> None:
    """Joins the others, and prints the times in process 0."""
    import jax
    import jax.numpy as jnp

    from nmt import hosts

    with hosts.joined(coordinator, processes=processes, process=process) as group:
        if group.is_main:
            print(f"{'processes':>9} {'MB':>6} {'ms':>8} {'MB/s':>8}")
        add = jax.pmap(lambda x: jax.lax.psum(x, "device"), axis_name="device")
        for size in SIZES:
            array = jnp.ones((jax.local_device_count(), size * 250_000))
            times = []
            for _ in range(ROUNDS):
                group.barrier()
                start = time.perf_counter()
                add(array).block_until_ready()
                times.append(time.perf_counter() - start)
            seconds = median(times[1:])  # the first one compiles
            sent = 2 * (processes - 1) / processes * size / seconds
            if group.is_main:
                print(f"{processes:9} {size:6} {1000 * seconds:8.1f} {sent:8.0f}", flush=True)


def on_this_machine(processes: int) -> None:
    """Starts so many processes, and waits for them."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    group = ["--coordinator", f"127.0.0.1:{port}", "--processes", str(processes), "--process"]
    command = [sys.executable, __file__, *group]
    members = [subprocess.Popen([*command, str(number)]) for number in range(processes)]
    for each in members:
        each.wait(timeout=600)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--coordinator", help="HOST:PORT of process 0")
    parser.add_argument("--processes", type=int)
    parser.add_argument("--process", type=int)
    given = parser.parse_args()
    if given.coordinator:
        measure(given.coordinator, given.processes, given.process)
    else:
        for number in (1, 2, 4):
            on_this_machine(number)
