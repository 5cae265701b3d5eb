"""The command that averages checkpoints."""

import json
from typing import Annotated, Any

import typer

from nmt.cli import options
from nmt.cli.options import AsJson, RunPath, Trust
from nmt.errors import DataError


def average(
    run: RunPath,
    last: Annotated[
        int | None, typer.Option(min=1, help="Average so many of the last; all if not given.")
    ] = None,
    best: Annotated[
        int | None, typer.Option(min=1, help="Average so many of the best by validation.")
    ] = None,
    as_json: AsJson = False,
    trust: Trust = False,
) -> None:
    """Average the parameters of kept checkpoints.

    They are those that training.keep has kept. The mean is validated, and saved in the run folder
    as the checkpoint `averaged`.

    Example: nmt average runs/demo --last 5, then nmt translate runs/demo --checkpoint averaged
    """
    if last is not None and best is not None:
        raise DataError("--last and --best choose different checkpoints; give one of them")
    from nmt import averaging
    from nmt.run import Run

    trained = Run.open(run)
    options.check_imports(trained, trust=trust)
    found = averaging.average(trained, last=last, best=best)
    print(json.dumps(found, indent=2) if as_json else _render(found))


def _render(found: dict[str, Any]) -> str:
    """Returns a line for each checkpoint, and for the mean beside the best one."""
    lines = [f"step {each['step']}: {_scores(each)}" for each in found["checkpoints"]]
    best = found["best"]
    lines.append(
        f"mean of {len(lines)}: {_scores(found['averaged'])}; best checkpoint, step "
        f"{best['step']}: {_scores(best)}"
    )
    return "\n".join([*lines, f"{found['run']}: saved; use it with --checkpoint averaged"])


def _scores(of: dict[str, Any]) -> str:
    if "perplexity" not in of:
        return "not in the log"
    bleu = f" BLEU {of['bleu']:.2f}" if "bleu" in of else ""  # an aligner has none
    return f"ppl {of['perplexity']:.3f}{bleu}"
