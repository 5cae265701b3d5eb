"""The commands that train a model, describe it and measure its speed."""

import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nmt.cli import hosts, options
from nmt.cli.options import AsJson, RunOrBundle, RunPath, Trust

if TYPE_CHECKING:
    from nmt.run import Run

Overrides = Annotated[list[str] | None, typer.Argument(help="section.key=value")]


def demo(overrides: Overrides = None) -> None:
    """Train, evaluate and plot on a small embedded corpus.

    It is German-English, and takes a few minutes.

    Example: nmt demo run=runs/my-demo
    """
    from nmt.demo import demonstrate

    options.look_for_classes_here()
    demonstrate(overrides or [])


def train(
    config: Annotated[Path, typer.Argument(help="A YAML configuration.")],
    overrides: Overrides = None,
    distributed: hosts.Distributed = False,
    coordinator: hosts.Coordinator = None,
    processes: hosts.Processes = None,
    process: hosts.Process = None,
) -> None:
    """Train a model; the same command again resumes it.

    Example: nmt train configs/multi30k-de-en.yaml run=runs/small model.dropout=0.2
    """
    from nmt import configfile

    loaded = configfile.load(config, overrides or [])
    group = hosts.group(
        distributed=distributed, coordinator=coordinator, processes=processes, process=process
    )
    with group as members:
        from nmt.training.session import train as run_training

        options.look_for_classes_here()
        run = run_training(loaded, members)
    if members.is_main:
        print(f"next: {_next(run)}", file=sys.stderr)


def _next(run: "Run") -> str:
    """Returns the command that a run is used with, once it has been trained."""
    data, path = run.config.data, shlex.quote(str(run.path))
    if run.config.aligner is not None:
        return f"nmt align {path} --source FILE.{data.source} --target FILE.{data.target}"
    files = f" --source FILE.{data.source} --reference FILE.{data.target}"
    trust = " --trust" if run.config.model.attention.imported else ""
    return f"nmt evaluate {path}{trust}" + ("" if data.test else files)


def shortlist(run: RunPath) -> None:
    """Make the table of words that `decoding.shortlist` needs.

    It has the likely translations of each piece.

    Example: nmt shortlist runs/demo, then nmt translate runs/demo in.txt decoding.shortlist=5
    """
    from nmt.inference.shortlist import make
    from nmt.run import Run

    print(make(Run.open(run)))


def info(
    run: RunOrBundle,
    as_json: AsJson = False,
    svg: Annotated[
        Path | None, typer.Option(help="Also write a block diagram of the model, as SVG.")
    ] = None,
    trust: Trust = False,
) -> None:
    """Describe a run or a bundle.

    Its parameters by part, vocabulary, training and scores so far.

    Example: nmt info runs/demo
    """
    from nmt.info import describe, render
    from nmt.plotting.network import draw
    from nmt.trained import check_translates, opened

    found = opened(run)
    options.check_imports(found, trust=trust)
    description = describe(found)
    description["run"] = options.sentence(description["run"])
    if svg is not None:
        check_translates(found)  # there is no diagram of another network
        with options.writer(svg) as out:
            out.write(draw(description, found.config.model))
    print(json.dumps(description, indent=2) if as_json else render(description))


def bench(
    size: Annotated[
        list[str] | None,
        typer.Option(help="multi30k or rnnsearch50; repeat it for both. All sizes if not given."),
    ] = None,
    rows: Annotated[
        int | None, typer.Option(min=1, help="Sentence pairs per batch and device.")
    ] = None,
    dtype: Annotated[
        str, typer.Option(help="Floating-point type of training: float32 or bfloat16.")
    ] = "float32",
    as_json: AsJson = False,
) -> None:
    """Measure the speed of training and decoding.

    Also the matrix-multiply rate of this machine.

    Example: nmt bench --size multi30k --json
    """
    from nmt.bench.sizes import choose
    from nmt.bench.speed import measure
    from nmt.bench.table import render

    figures = measure(choose(size or [], rows=rows), dtype=dtype)
    print(json.dumps(figures, indent=2) if as_json else render(figures))
