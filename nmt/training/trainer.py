"""The training loop: steps, validation, early stopping, checkpoints, and resumption."""

import contextlib
import math
import warnings
from dataclasses import replace
from typing import Any, NoReturn

import datasets
import jax
from flax import nnx

from nmt.checkpoints import Saved, TrainingProgress
from nmt.errors import Interrupted
from nmt.model.build import Network
from nmt.records import VALIDATION
from nmt.run import Run
from nmt.training import divergence, interruption, memory
from nmt.training.contents import Contents
from nmt.training.ending import epochs_are_over, makes_update, total_steps
from nmt.training.loader import DataLoader
from nmt.training.log import Display, Stopwatch, TrainingLog
from nmt.training.metrics import MetricsAccumulator, StepRecord
from nmt.training.state import Gathered, TrainState, cut_learning_rate, init_state
from nmt.training.step import make_train_step
from nmt.training.stream_loader import StreamLoader
from nmt.training.validation import ZEROS, Validator, update_best, warn_of_zero


class Trainer:
    """One training run: the state on the devices, and the progress."""

    def __init__(
        self,
        run: Run,
        loader: DataLoader | StreamLoader,
        validation: datasets.Dataset,
        model: Network,
        *,
        contents: Contents,
        saved: Saved | None,
    ) -> None:
        self.run, self.loader, self.contents = run, loader, contents
        config, tokenizers = run.config, loader.tokenizers
        self.settings = config.training
        graph, bos = nnx.graphdef(model), tokenizers.target.bos
        self.total_steps = total_steps(config, loader.batches_per_epoch)
        self.state, self.progress = self._restored(init_state(config, model), saved)
        self.gathered = Gathered.nothing(config, self.state.params)
        self.waiting = 0  # batches since the last update
        self.step = make_train_step(config, graph, bos=bos, total_steps=self.total_steps)
        self.add = make_train_step(
            config, graph, bos=bos, total_steps=self.total_steps, update=False
        )
        self.validator = Validator(
            validation, graph, tokenizers=tokenizers, config=config, processes=run.processes
        )
        self.key = jax.random.key(config.seed)
        self.log = TrainingLog(run, step=self.progress.step)
        self.display = Display(
            self.total_steps, step=self.progress.step, quiet=not run.processes.is_main
        )
        self.accumulator = MetricsAccumulator(self.progress.pending_log)
        self.watch = Stopwatch()

    def run_to_end(self) -> None:
        """Trains until the steps, the epochs or the patience are used up."""
        try:
            self._note_contents()
            if self._finished():
                if not self.progress.validated:  # it was stopped before, and its end moved here
                    self._validate()
                self.display.say(
                    f"{self.run.path}: already trained to step {self.progress.step} of "
                    f"{self.total_steps}; raise training.max_steps, max_epochs or patience to go on"
                )
                return
            self.state, self.gathered = memory.try_largest(
                self.step,
                self.state,
                self.gathered,
                self.loader.buckets,
                key=self.key,
                config=self.run.config.data,
                processes=self.run.processes,
            )
            self.watch.lap()
            with interruption.requests() as requests:
                self._train(requests)
                if not self._validates_here():
                    self._validate()
            divergence.check_saved(self.run)
            self.display.say(
                f"{self.run.path}: trained to step {self.progress.step}; "
                f"best at step {self.progress.best_step}"
            )
            if signal := interruption.asked(requests, self.run.processes):
                self._interrupt(signal, "the training had ended, and is saved")
        finally:
            self.log.close()
            self.display.close()

    def _note_contents(self) -> None:
        """Says which corpora have changed since the last session; remembers these, and the end."""
        for line in self.contents.changes(self.run.path, self.progress):
            self.display.say(line)
        self.progress = replace(self.contents.noted(self.progress), total_steps=self.total_steps)

    def _train(self, requests: list[str]) -> None:
        """Runs steps until training has ended, or a process is asked to stop after an update."""
        with contextlib.closing(self.loader.batches(self.progress)) as batches:
            for batch, after in batches:
                updated = self._consume(batch, after)
                if self._finished():
                    return
                if updated and (signal := interruption.asked(requests, self.run.processes)):
                    self._stop(signal)

    def _consume(self, batch: Any, after: TrainingProgress) -> bool:
        """Runs one step on a batch, logs and validates when it is time; was it an update?"""
        self.waiting += 1
        updates = makes_update(self.run.config, self.progress, after, waiting=self.waiting)
        step = self.step if updates else self.add
        self.state, self.gathered, metrics = step(self.state, self.gathered, batch, self.key)
        self.accumulator.add(self.progress, metrics)
        self.progress = replace(
            self.progress,
            epoch=after.epoch,
            part=after.part,
            batch=after.batch,
            stream=after.stream,
            batches=self.progress.batches + 1,
            step=self.progress.step + updates,
            validated=self.progress.validated and not updates,
        )
        if not updates:
            return False
        self.waiting = 0
        self.display.advance(self.progress.step)
        if self.progress.step % self.settings.log_every == 0:
            self._report_training()
        if self._validates_here():
            self._validate()
        return True

    def _stop(self, signal: str) -> NoReturn:
        """Saves a sound state, and reports how to resume."""
        self._read_steps()
        sound = divergence.is_sound(self.state)
        if sound and not self._validates_here():
            self.progress = replace(self.progress, pending_log=dict(self.accumulator.sums))
            self.run.save("last", self.state.items(), self.progress)
        self._interrupt(
            signal,
            f"stopped after step {self.progress.step}, "
            f"{'saved' if sound else 'not saved, because the last update was skipped'}; "
            "the same command goes on",
        )

    def _interrupt(self, signal: str, message: str) -> NoReturn:
        run = self.run.path
        raise Interrupted(f"{run}: {signal}: {message}", signal=signal, run=run)

    def _read_steps(self) -> list[StepRecord]:
        """Reads the metrics of the steps since the last call, which waits for the devices."""
        steps = self.accumulator.read()
        divergence.check(steps, run=self.run, loader=self.loader)
        return steps

    def _report_training(self) -> None:
        """Logs the mean over the steps since the last report."""
        last = self._read_steps()[-1]
        values = self.accumulator.values(last, seconds=self.watch.lap())
        values["train/epoch"] = self.loader.epochs(self.progress)
        values["train/peak_memory_mib"] = memory.peak()
        self.accumulator = MetricsAccumulator()
        self.log.write(self.progress.step, values)
        self.display.note(
            f"epoch {values['train/epoch']:.2f} step {self.progress.step} "
            f"loss {values.get('train/loss', math.nan):.3f} "
            f"ppl {values.get('train/perplexity', math.nan):.2f} "
            f"lr {values['train/learning_rate']:.2e} "
            f"{values['train/tokens_per_second']:,.0f} target tokens/s"
            + (f" {values['train/skipped']} skipped" if values["train/skipped"] else "")
        )

    def _validate(self) -> None:
        """Validates, updates the learning rate and the best model, and saves."""
        self._read_steps()  # waits, so that the time of training does not count as validation
        timer = Stopwatch()
        if not divergence.is_sound(self.state):
            self.display.say(
                f"step {self.progress.step}: neither validated nor saved, because the last update "
                "was skipped: its loss or gradient exploded or was not a number"
            )
            return
        report = self.validator.measure(self.state.model)
        before, step = self.progress, self.progress.step
        self.progress = update_best(before, report, metric=self.settings.metric)
        zeros = before.zero_validations < self.progress.zero_validations == ZEROS
        if zeros and self.run.processes.is_main:
            warn_of_zero(report, run=self.run, step=step)
        self.state, self.progress = cut_learning_rate(
            self.state, self.progress, self.settings.schedule
        )
        self.log.write(step, {**report.values(), f"{VALIDATION}seconds": timer.split()})
        sums = dict(self.accumulator.sums)
        self.progress = replace(self.progress, validated=True, pending_log=sums)
        is_best = self.progress.best_step == step
        best = " (best so far)" if is_best else ""
        self.display.say(f"validation at step {step}: {report}{best}")
        model = {"params": self.state.model}
        if is_best:
            self.run.save("best", model, self.progress)
        if self.settings.keep:
            self.run.save("kept", model, self.progress, keep=self.settings.keep)
        self.run.save("last", self.state.items(), self.progress)
        self._plot_attention()
        self.watch.leave_out(timer.lap())

    def _validates_here(self) -> bool:
        """Whether this step is one after which the model is validated, and saved if it is sound."""
        return self.progress.step % self.settings.validate_every == 0

    def _plot_attention(self) -> None:
        """Writes attention images to TensorBoard; a failure does not end training."""
        if not self.run.processes.is_main:
            return
        step = self.progress.step
        try:
            for index, pixels in enumerate(self.validator.attention_images(self.state.model)):
                self.log.image(step, f"attention/{index}", pixels)
        except Exception as error:
            reason = f"{type(error).__name__}: {error}".partition("\n")[0]
            warnings.warn(
                f"{self.run.path}: the attention at step {step} cannot be plotted ({reason}); "
                "training goes on",
                stacklevel=2,
            )

    def _finished(self) -> bool:
        patience = self.settings.patience
        stalled = patience is not None and self.progress.bad_validations >= patience
        over = self.progress.step >= self.total_steps
        return stalled or over or epochs_are_over(self.run.config, self.progress)

    def _restored(
        self, fresh: TrainState, saved: Saved | None
    ) -> tuple[TrainState, TrainingProgress]:
        if saved is None:
            return fresh, TrainingProgress(tokenizer=self.loader.tokenizers.fingerprint)
        return fresh.restored(self.run.restore(saved, fresh.items())), saved.progress
