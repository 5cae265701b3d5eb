"""The command that serves models over HTTP."""

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from nmt.cli import ensembles, options
from nmt.cli.options import Beam, Checkpoint, Trust
from nmt.errors import DataError, UserError
from nmt.serving.in_flight import Limits

KEY = "NMT_API_KEY"  # the variable of the environment

Runs = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="RUN... [decoding.KEY=VALUE]...",
        help="A model each: run folders, bundles, hf:USER/NAME, or ensembles, A+B. Decoding "
        "settings replace their own.",
    ),
]
Host = Annotated[str, typer.Option(help="Address to listen at; 0.0.0.0 is open to the network.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="Port to listen at; 0: any free one.")]
ApiKey = Annotated[
    str | None,
    typer.Option(envvar=KEY, show_envvar=True, help="Key that each request has to have."),
]
Cors = Annotated[
    list[str] | None,
    typer.Option(metavar="ORIGIN", help="Origin whose pages may ask; may be repeated; * is any."),
]
LogText = Annotated[bool, typer.Option("--log-text", help="Log the text of requests, too.")]
Characters = Annotated[int, typer.Option(min=1, help="Characters of a request, at most.")]
Lines = Annotated[int, typer.Option(min=1, help="Lines of a request, at most.")]
Queue = Annotated[int, typer.Option(min=1, help="Lines without an answer yet, at most.")]
PerClient = Annotated[int, typer.Option(min=1, help="The same, of one client.")]
Timeout = Annotated[
    float,
    typer.Option(min=0.001, max=86_400, help="Seconds for an answer, or its next line."),
]
Threads = Annotated[
    int | None,
    typer.Option(min=1, help="Searches at once, of each model; 2 on CPUs if not given, else 1."),
]
Warm = Annotated[
    int | None,
    typer.Option(
        min=0,
        help="Compile programs for lines of up to so many pieces before anybody is answered; as "
        "for the longest training sentences if not given; 0: when they are needed.",
    ),
]


def serve(
    runs: Runs = None,
    host: Host = "127.0.0.1",
    port: Port = 8080,
    beam: Beam = None,
    checkpoint: Checkpoint = "best",
    trust: Trust = False,
    api_key: ApiKey = None,
    cors: Cors = None,
    characters: Characters = Limits.characters,
    lines: Lines = Limits.lines,
    queue: Queue = Limits.queue,
    per_client: PerClient = Limits.client,
    timeout: Timeout = Limits.seconds,
    threads: Threads = None,
    warm: Warm = None,
    log_text: LogText = False,
) -> None:
    """Serve models to browsers and programs, by HTTP.

    With a page, the LibreTranslate API and one of its own.

    Example: nmt serve runs/demo --port 8080
    """
    server, models = _imported()
    _check_key(api_key)
    _check_origins(cors or ())
    folders, settings = options.settings_apart(runs, beam=beam)
    paths = _named(map(Path, folders))
    limits = Limits(characters, lines, queue, per_client, timeout)
    metrics = models.Metrics()
    with server.bound(host, port) as listener:
        found = [
            models.served(
                name,
                ensembles.translator(path, settings=settings, checkpoint=checkpoint, trust=trust),
                ensembles.data(path),
                threads=threads,
                longest=warm,
                adapts="batch" not in settings,
                metrics=metrics,
            )
            for name, path in paths.items()
        ]
        service = models.Service(found, metrics, limits, api_key=api_key, log_text=log_text)
        server.log()
        ready = f"serving {', '.join(paths)} on {server.url(listener)}"
        names = models.allowed(host, listener, cors or ())
        app = models.application(service, cors=cors or (), names=names)
        server.run(app, listener, ready=ready, seconds=timeout)


def _check_key(api_key: str | None) -> None:
    """Checks that a key, if one is given, can be sent with a request.

    Raises:
        DataError: it cannot.
    """
    if api_key == "" or (api_key is None and os.environ.get(KEY) == ""):
        raise DataError(
            f"--api-key: is empty, so that anyone might ask; give a key, or leave out the option "
            f"and unset {KEY}"
        )
    if api_key is not None and not re.fullmatch(r"[!-~]+", api_key):
        raise DataError("--api-key: headers carry letters, digits and signs of ASCII only")


def _check_origins(cors: Iterable[str]) -> None:
    """Checks that browsers send origins as they are given.

    Raises:
        DataError: one is as no browser sends it.
    """
    for origin in cors:
        usual_port = re.fullmatch(r"http:.*:80|https:.*:443", origin)
        if usual_port or not re.fullmatch(r"\*|null|[a-z][-+.a-z0-9]*://[^\s/?#@A-Z]+", origin):
            raise DataError(
                f"--cors {origin}: browsers send no such origin, but one as https://example.org: "
                "scheme and host in small letters, a port only if it is not the usual one, and "
                "nothing behind it"
            )


def _named(runs: Iterable[Path]) -> dict[str, Path]:
    """Returns runs by their names.

    Raises:
        DataError: there is none, or two have the same name.
    """
    named = dict[str, Path]()
    for run in runs:
        name = ensembles.name(run)
        if name in named:
            raise DataError(f"two runs are named {name}; each model needs a name of its own")
        named[name] = run
    if not named:
        raise DataError("no run to serve; name a run folder, or several")
    return named


def _imported() -> tuple[Any, Any]:
    """Returns the modules that need other packages than translation does.

    Raises:
        UserError: they are not installed.
    """
    try:
        from nmt.serving import server, starting
    except ImportError:
        raise UserError("nmt serve needs the extra: pip install 'nmt[serve]'") from None
    return server, starting
