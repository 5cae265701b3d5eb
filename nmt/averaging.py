"""Averages of checkpoints: the mean of the parameters at several validations of one training."""

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import jax
import numpy as np

from nmt.checkpoints import Saved, TrainingProgress
from nmt.counting import counted
from nmt.data import corpora
from nmt.errors import RunError
from nmt.model.build import outline
from nmt.run import Run
from nmt.training.validation import Validator
from nmt.types import Params

Scores = dict[str, Any]  # `perplexity` and `bleu` in validation
SCORES = ("perplexity", "bleu")  # of a validation; an aligner has the first alone


def average(run: Run, *, last: int | None = None, best: int | None = None) -> dict[str, Any]:
    """Saves the mean of the parameters of several checkpoints as the checkpoint `averaged`.

    They are the `last` ones of those that `training.keep` has kept, or all of them, or the `best`
    ones of those and of the best checkpoints, by the metric of the training.

    Returns the validation scores of each, of the mean, and of the best checkpoint, as values that
    JSON can hold.

    Raises:
        RunError: there are fewer checkpoints, or the log has no scores of one.
        DataError: the validation corpus cannot be read.
    """
    scores = _logged(run)
    chosen = _chosen(run, scores, last=last, best=best)
    tokenizers, config = run.tokenizers(), run.config
    graph, template = outline(config, tokenizers)
    validation = corpora.held_out(config.data, "validation")
    validator = Validator(validation, graph, tokenizers=tokenizers, config=config)
    params = mean(run.restore(saved, {"params": template})["params"] for saved in chosen)
    report = validator.measure(params)
    progress = _latest(chosen)
    steps = sorted(saved.progress.step for saved in chosen)
    run.save("averaged", {"params": params}, replace(progress, averaged=steps))
    best_step = _latest([*chosen, *run.checkpoints.intact("best")]).best_step
    return {
        "run": str(run.path),
        "checkpoints": [{"step": step, **scores.get(step, {})} for step in steps],
        "averaged": report.scores(),
        "best": {"step": best_step, **scores.get(best_step, {})},
    }


def mean(models: Iterable[Params]) -> Params:
    """Returns the mean of the parameters of one model or more, summed in float64."""
    total: Any = None
    number = 0
    for params in models:
        number += 1
        wide = jax.tree.map(lambda array: np.asarray(array, np.float64), params)
        total = wide if total is None else jax.tree.map(np.add, total, wide)
    return jax.tree.map(lambda array, like: (array / number).astype(like.dtype), total, params)


def _latest(checkpoints: Iterable[Saved]) -> TrainingProgress:
    """Returns the progress of the checkpoint that was written last."""
    return max((saved.progress for saved in checkpoints), key=lambda each: each.batches)


def _logged(run: Run) -> dict[int, Scores]:
    """Returns the scores of each step that was validated."""
    return {
        step: {name: found[name] for name in SCORES if name in found}
        for step, found in run.validations().items()
    }


def _chosen(
    run: Run, scores: dict[int, Scores], *, last: int | None, best: int | None
) -> list[Saved]:
    """Returns the checkpoints to average, one of each step."""
    found, damaged = run.checkpoints.examined("kept", *(() if best is None else ("best",)))
    by_step = {saved.progress.step: saved for saved in found}
    steps = sorted(by_step, reverse=True)
    number = last or best  # None: all
    if len(steps) < (number or 1):
        raise RunError(f"{run.path}: {_too_few(len(steps), number, damaged)}")
    for each in damaged:
        warnings.warn(f"{each}; averaging without it", stacklevel=3)
    if best is not None:
        if missing := [step for step in steps if step not in scores]:
            raise RunError(
                f"{run.metrics_path}: has no validation of step {missing[0]}; choose by --last"
            )
        of_perplexity = run.config.training.metric == "perplexity"
        steps.sort(key=lambda s: scores[s]["perplexity"] if of_perplexity else -scores[s]["bleu"])
    return [by_step[step] for step in steps[:number]]


def _too_few(found: int, number: int | None, damaged: Sequence[str]) -> str:
    """Returns why a number of checkpoints, or any, cannot be averaged, and the remedy."""
    if damaged:
        intact = f"{counted(found, 'intact checkpoint')}, not {number}"
        lacking = "no intact checkpoint to average" if number is None else intact
        fewer = ", or ask for fewer" if found else ""
        return f"has {lacking}; {'; '.join(damaged)}: restore it from a copy{fewer}"
    if not found:
        return (
            "keeps no checkpoints to average; set training.keep=10, for example, before training "
            "or when it goes on"
        )
    return (
        f"has kept {counted(found, 'checkpoint')}, not {number}; ask for fewer, or train on with a "
        "larger training.keep"
    )
