"""How fast `nmt serve` answers, and what bad clients do to it, on 127.0.0.1 only.

    python benchmarks/serving_load.py RUN SOURCE [--lines 1000] [--requests 10000] [--seconds 60]

A server of RUN is started on a free port, and gets the lines of SOURCE, one in each request:

    alone      one client: the wait for an answer, next to the time of one search in this process
    together   32 clients, in turns with a translator in this process, which has all lines at once
    half       requests at random times, half as many in a second as 32 clients got answered
    bad        clients that go away, send garbage or too much, between others that want answers

Each part ends after a number of requests or seconds, whichever comes first. Other programs on the
machine slow the two sides of a comparison differently: processor times are more to be trusted.
"""

import argparse
import contextlib
import http.client
import json
import os
import random
import re
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from pathlib import Path
from statistics import median, quantiles
from threading import Lock, local
from time import perf_counter, process_time, sleep

import nmt
from nmt.allocator import keep_freed_memory
from nmt.data import files
from nmt.errors import UserError

CLIENTS = 32


class Server:
    """A server in a process of its own."""

    def __init__(self, run: Path) -> None:
        command = [sys.executable, "-m", "nmt", "serve", str(run), "--port", "0"]
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self._process.stdout is not None
        found = re.search(r":(\d+)$", self._process.stdout.readline().strip())
        if found is None:
            raise UserError(f"no server: {' '.join(command)}")
        self.port = int(found[1])
        self._connections = local()

    def end(self) -> int:
        """Ends the server; returns its exit code."""
        self._process.terminate()
        return self._process.wait(60)

    @property
    def memory(self) -> int:
        """Its resident bytes."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return 1024 * int(re.search(r"VmRSS:\s+(\d+)", status)[1])

    @property
    def seconds(self) -> float:
        """The processor time that it has taken."""
        columns = Path(f"/proc/{self._process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return sum(map(int, columns[11:13])) / os.sysconf("SC_CLK_TCK")

    def translated(self, line: str) -> str:
        """Returns the translation of a line, by the connection of this thread."""
        status, answer = self.answer("POST", "/v1/translate", json.dumps({"text": line}).encode())
        if status != 200:
            raise RuntimeError(f"{status}: {answer}")
        return json.loads(answer)["translations"][0][0]["text"]

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        """Returns status and body of an answer."""
        if not hasattr(self._connections, "open"):
            self._connections.open = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            self._connections.open.request(method, path, body)
            answer = self._connections.open.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            self._connections.open.close()  # it is opened again when it is used
            raise


def alone(server: Server, translator: nmt.Translator, lines: list[str], seconds: float) -> None:
    """Compares the wait of one client with one search."""
    waits, searches = [], []
    for line in until(lines, seconds):
        searches.append(timed(lambda line=line: translator.translate(line)))
        waits.append(timed(lambda line=line: server.translated(line)))
    ratio = median(waits) / median(searches)
    print(
        f"alone: {1000 * median(waits):.1f} ms, one search {1000 * median(searches):.1f} ms, "
        f"ratio {ratio:.2f} (medians of {len(waits)}; to reach: 1.3)",
        flush=True,
    )


def together(server: Server, translator: nmt.Translator, lines: list[str], passes: int) -> float:
    """Compares 32 clients with a translator that has all lines; returns the rate of the clients."""
    clocks: list[tuple[float, ...]] = []
    for _ in range(passes):
        begin = perf_counter(), process_time()
        expected = [each.text for each in translator.translate(lines)]
        middle = perf_counter(), process_time(), server.seconds
        with ThreadPoolExecutor(CLIENTS) as clients:
            found = list(clients.map(server.translated, lines))
        wall, used = perf_counter() - middle[0], server.seconds - middle[2]
        clocks.append((middle[0] - begin[0], middle[1] - begin[1], wall, used))
        differ = sum(a != b for a, b in zip(expected, found, strict=True))
        print(f"together: {differ} of {len(lines)} answers differ from nmt translate", flush=True)
    offline, offline_used, wall, used = (median(column) for column in zip(*clocks, strict=True))
    print(
        f"together: {len(lines) / wall:.1f} sentences/s, nmt translate {len(lines) / offline:.1f}, "
        f"ratio {offline / wall:.2f} (to reach: 0.7); processor seconds {used:.2f} and "
        f"{offline_used:.2f}, ratio {offline_used / used:.2f}",
        flush=True,
    )
    return len(lines) / wall


def half(server: Server, lines: list[str], rate: float, seconds: float) -> None:
    """Sends lines at random times, of which so many come in a second."""
    draw, waits = random.Random(1), list[float]()
    with ThreadPoolExecutor(256) as clients:
        end = perf_counter() + seconds
        for line in cycle(lines):
            if perf_counter() > end or len(waits) >= 10 * len(lines):
                break
            clients.submit(lambda line=line: waits.append(timed(lambda: server.translated(line))))
            sleep(draw.expovariate(rate))
    ranked = quantiles(waits, n=100)
    print(
        f"half: {rate:.1f} requests/s, median {1000 * ranked[49]:.0f} ms, p99 "
        f"{1000 * ranked[98]:.0f} ms, ratio {ranked[98] / ranked[49]:.1f} (of {len(waits)}; to "
        "reach: 10)",
        flush=True,
    )


def bad(server: Server, lines: list[str], expected: list[str], *, requests: int) -> None:
    """Has clients do what they should not; others must not notice."""
    seen, lock = Counter[str](), Lock()
    kinds = [_good, _good, _garbage, _oversize, _aborted]

    def one(number: int) -> None:
        place = number % len(lines)
        kind = kinds[random.Random(number).randrange(len(kinds))]
        result = kind(server, lines[place], expected[place])
        with lock:
            seen[f"{kind.__name__[1:]}: {result}"] += 1

    with ThreadPoolExecutor(CLIENTS) as clients:
        list(clients.map(one, range(requests // 10)))
        before = server.memory
        list(clients.map(one, range(requests // 10, requests)))
    after = server.memory
    for name, number in sorted(seen.items()):
        print(f"bad: {number} {name}")
    print(
        f"bad: memory {before >> 20} MiB after {requests // 10} requests and {after >> 20} MiB "
        f"after {requests}, {100 * (after / before - 1):+.1f} % (to reach: 5 %)",
        flush=True,
    )


def _good(server: Server, line: str, expected: str) -> str:
    return "right" if server.translated(line) == expected else "WRONG"


def _garbage(server: Server, line: str, _: str) -> str:
    body = random.Random(line).randbytes(200)
    return str(server.answer("POST", "/v1/translate", body)[0])


def _oversize(server: Server, line: str, _: str) -> str:
    body = json.dumps({"text": line * 5000}).encode()
    with contextlib.suppress(OSError, http.client.HTTPException):
        return str(server.answer("POST", "/v1/translate", body)[0])
    return "connection closed"


def _aborted(server: Server, line: str, _: str) -> str:
    body = json.dumps({"text": line}).encode()
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        head = f"POST /v1/translate HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
        connection.sendall(head.encode() + body[: random.Random(line).randrange(2 * len(body))])
        sleep(0.005)
    return "gone"


def until(lines: list[str], seconds: float) -> Iterator[str]:
    """Yields lines for so many seconds at most."""
    end = perf_counter() + seconds
    for line in lines:
        if perf_counter() > end:
            return
        yield line


def timed(action: Callable[[], object]) -> float:
    """Returns the seconds that something takes."""
    begin = perf_counter()
    action()
    return perf_counter() - begin


def main(given: argparse.Namespace) -> None:
    keep_freed_memory()
    source = files.lines(files.find(given.source))
    lines = [line for line in islice(source, given.lines) if line.strip()]
    translator = nmt.Translator.load(given.run)
    expected = [each.text for each in translator.translate(lines)]
    for line in lines[:300]:  # the programs of one line
        translator.translate(line)
    server = Server(given.run)
    try:
        alone(server, translator, lines, given.seconds)
        rate = together(server, translator, lines, given.passes)
        half(server, lines, rate / 2, given.seconds)
        bad(server, lines, expected, requests=given.requests)
    finally:
        print(f"ended with exit code {server.end()}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("run", type=Path, help="a run folder")
    parser.add_argument("source", type=Path, help="text, one sentence a line")
    parser.add_argument("--lines", type=int, default=1_000, help="of SOURCE, at most")
    parser.add_argument("--passes", type=int, default=3, help="of 32 clients")
    parser.add_argument("--requests", type=int, default=10_000, help="good and bad ones")
    parser.add_argument("--seconds", type=float, default=60, help="of a part")
    try:
        main(parser.parse_args())
    except UserError as error:
        sys.exit(f"serving_load.py: {error}")
