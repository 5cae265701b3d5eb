"""A server in this process, and ways to ask it."""

import http.client
import json
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn

from nmt.serving import server, starting


@dataclass(frozen=True)
class Client:
    """Asks a server; each question has a connection of its own."""

    port: int

    def ask(self, method, path, body=None, **headers):
        """Returns status, headers and body of an answer; what is no bytes is sent as JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            sent = json.dumps(body).encode() if isinstance(body, dict | list) else body
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, sent, named)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def post(self, path, body, **headers):
        """Returns the status and the object of an answer in JSON."""
        status, _, answer = self.ask("POST", path, body, **headers)
        return status, json.loads(answer)

    def get(self, path, **headers):
        status, _, answer = self.ask("GET", path, **headers)
        return status, json.loads(answer)

    def translated(self, text, **fields):
        """Returns the translations of each line."""
        status, answer = self.post("/v1/translate", {"text": text, **fields})
        assert status == 200, answer
        return answer["translations"]


@contextmanager
def serving(service, *, port=0, **options):
    """Serves until it is left; gives a client. The models stay open."""
    listener = server.bound("127.0.0.1", port)
    config = uvicorn.Config(
        starting.application(service, **options), lifespan="off", log_level="critical"
    )
    running = uvicorn.Server(config)
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield Client(listener.getsockname()[1])
    finally:
        running.should_exit = running.force_exit = True
        thread.join()
        listener.close()


@contextmanager
def held(engine, *, threads=1):
    """Keeps all threads of an engine busy, until it is left, or what it gives is set."""
    done, begun = threading.Event(), threading.Semaphore(0)

    def hold(items):
        begun.release()
        assert done.wait(60)
        return items

    for number in range(threads):
        engine.submit(hold, [number], [1000 ** (number + 1)])  # not alike: a thread each
    for _ in range(threads):
        assert begun.acquire(timeout=60)
    try:
        yield done
    finally:
        done.set()


def until(condition, seconds=10):
    """Waits until something is so."""
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.005)
    assert condition()
