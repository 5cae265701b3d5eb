"""Validation: perplexity of the references, BLEU of translations, and attention images."""

import json
import math
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import datasets
import numpy as np
import numpy.typing as npt

from nmt import devices, plotting
from nmt.checkpoints import TrainingProgress
from nmt.config import BeamConfig, Config, SentenceBatchConfig, TextInputConfig
from nmt.data.batching import Batch, PlannedBatch, choose_buckets, in_order, pad
from nmt.data.tokenizers import Tokenizers
from nmt.evaluation import bleu_tokenizers
from nmt.evaluation.metrics import MetricScore, bleu
from nmt.inference import limits
from nmt.inference.aligner import Aligner
from nmt.inference.batches import Capacity
from nmt.inference.caption import Caption
from nmt.inference.captioner import Captioner
from nmt.inference.predictor import LoadedModel
from nmt.inference.splitting import TrainedOn
from nmt.inference.translation import Translation
from nmt.inference.translator import Translator
from nmt.processes import ALONE, ProcessGroup
from nmt.records import VALIDATION
from nmt.run import Run
from nmt.training.loader import own_rows
from nmt.training.loss import totals
from nmt.training.step import make_eval_step, shard
from nmt.types import Graph, Params

BUCKETS = 4
ZERO = 0.005  # a BLEU below it is printed as 0.00
ZEROS = 3  # validations with such a BLEU although perplexity falls, after which training warns
LONGEST_DRAWN = 100  # pieces of a side in an attention image


@dataclass(frozen=True)
class Report:
    """The results of one validation."""

    perplexity: float  # of a target piece, over the whole set
    bleu: MetricScore | None  # of translations, on detokenized text; an aligner makes none
    cut: int = 0  # translations that were cut at their longest length

    def value(self, metric: str) -> float:
        """Returns the chosen metric, signed so that higher is better."""
        value = self.scores()[metric]
        return -value if metric == "perplexity" else value

    def scores(self) -> dict[str, float]:
        """Returns the values by the names of the metrics."""
        given = {"perplexity": self.perplexity}
        return given if self.bleu is None else {**given, "bleu": self.bleu.value}

    def values(self) -> dict[str, Any]:
        """Returns the values of a log record."""
        found: dict[str, Any] = {
            f"{VALIDATION}{name}": value for name, value in self.scores().items()
        }
        if self.bleu is not None:
            found[f"{VALIDATION}bleu_signature"] = self.bleu.signature
            found[f"{VALIDATION}cut"] = self.cut
        return found

    def __str__(self) -> str:
        if self.bleu is None:
            return f"ppl {self.perplexity:.3f}"
        cut = f", {self.cut} translations cut at their longest length" if self.cut else ""
        return f"ppl {self.perplexity:.3f} BLEU {self.bleu.value:.2f}{cut}"


def update_best(progress: TrainingProgress, report: Report, *, metric: str) -> TrainingProgress:
    """Returns the progress after a validation; a tie is decided by perplexity."""
    value, best, perplexity = report.value(metric), progress.best, progress.best_perplexity
    falls = perplexity is not None and report.perplexity < perplexity
    if falls and report.bleu is not None and report.bleu.value < ZERO:
        progress = replace(progress, zero_validations=progress.zero_validations + 1)
    if not math.isnan(value) and (best is None or value > best or (value == best and falls)):
        return replace(
            progress,
            best=value,
            best_perplexity=report.perplexity,
            best_step=progress.step,
            bad_validations=0,
            bad_validations_since_cut=0,
        )
    return replace(
        progress,
        bad_validations=progress.bad_validations + 1,
        bad_validations_since_cut=progress.bad_validations_since_cut + 1,
    )


def warn_of_zero(report: Report, *, run: Run, step: int) -> None:
    """Warns of a BLEU that stays zero, with its likely causes."""
    tokenizer = bleu_tokenizers.for_target(run.config.data)
    warnings.warn(
        f"{run.path}: BLEU is still zero at step {step}, although perplexity has fallen to "
        f"{report.perplexity:.1f}; either its tokenizer, {tokenizer}, does not suit the target "
        "language (data.bleu_tokenizer), or translations are empty or in another script",
        stacklevel=3,
    )


class Validator:
    """A validation set, which is prepared once.

    Sides of more than `decoding.max_pieces` are cut as in a search, with a warning at the start.
    """

    def __init__(
        self,
        text: datasets.Dataset,
        graph: Graph,
        *,
        tokenizers: Tokenizers,
        config: Config,
        processes: ProcessGroup = ALONE,
    ) -> None:
        self._text = text
        sides = list(_cut(text, tokenizers, config))
        self._pairs = list(zip(*sides, strict=True))
        is_text = isinstance(config.data.input, TextInputConfig)
        self._sources: Any = text["source"] if is_text else sides[0]
        self._graph = graph
        self._tokenizers = tokenizers
        self._config = config
        self._processes = processes
        self._step = make_eval_step(config, graph, bos=tokenizers.target.bos)

    def measure(self, params: Params) -> Report:
        """Returns perplexity and BLEU of the model with these parameters."""
        _, nll, tokens = totals([self._step(params, batch) for batch in self.batches])
        perplexity = math.exp(min(nll / tokens, 700.0))
        if self._config.aligner is not None:
            return Report(perplexity, bleu=None)
        translations = self._translations(params)
        return Report(
            perplexity,
            bleu=bleu(
                [text for text, _ in translations],
                list(self._text["target"]),
                tokenize=bleu_tokenizers.for_target(self._config.data),
            ),
            cut=sum(is_cut for _, is_cut in translations),
        )

    def _translations(self, params: Params) -> list[tuple[str, bool]]:
        """Returns all translations, each process having made its part, and whether one is cut."""
        translator = self._translator(params, beam=self._config.training.validation_beam)
        own = self._processes.rows(len(self._text))
        # No warnings of cut translations: early in training there are many, and `cut` counts them.
        with warnings.catch_warnings(action="ignore"):
            made = translator.translate(self._sources[own])
        told = json.dumps([(each.text, each.is_cut) for each in made]).encode()
        parts = map(json.loads, self._processes.gather(told))
        return [(text, is_cut) for part in parts for text, is_cut in part]

    def attention_images(self, params: Params) -> list[npt.NDArray[np.uint8]]:
        """Returns heat maps of the first sentences, each with its own reference force-decoded.

        Long ones are left out: their pictures would be large, and nobody could read them. The
        words of a caption are drawn over its picture.
        """
        pictured = (shape := self._config.data.input.shape) is not None and shape.grid is not None
        sides = slice(1, None) if pictured else slice(None)  # a picture has one size
        short = [
            i for i, pair in enumerate(self._pairs) if max(map(len, pair[sides])) <= LONGEST_DRAWN
        ]
        first = short[: self._config.training.attention_images]
        with warnings.catch_warnings(action="ignore"):
            forced = self._forced(
                params, [self._sources[i] for i in first], self._text[first]["target"]
            )
        return [
            plotting.image(plotting.plot_alignment(aligned, words=pictured))
            for aligned in forced
            if aligned.attention.size
        ]

    def _forced(
        self, params: Params, sources: list[Any], targets: list[str]
    ) -> Sequence[Translation | Caption]:
        """Returns the alignment of given pairs."""
        if self._config.aligner is None:
            return self._translator(params, beam=1).align(sources, targets)
        loaded = LoadedModel(params, self._graph)
        aligner = Aligner(
            loaded,
            tokenizers=self._tokenizers,
            config=self._config.decoding,
            word_boundaries=self._config.data.word_boundaries,
        )
        return [each.forward for each in aligner.align(sources, targets)]

    def _translator(self, params: Params, *, beam: int) -> Translator | Captioner:
        plain = {"strategy": BeamConfig(), "beam": beam, "mbr": None}
        settings = self._config.decoding.model_copy(update=plain)
        loaded = LoadedModel(params, self._graph)
        how: dict[str, Any] = {"tokenizers": self._tokenizers, "config": settings}
        if not isinstance(self._config.data.input, TextInputConfig):
            how["word_boundaries"] = self._config.data.word_boundaries
            return Captioner(loaded, input=self._config.data.input, **how)
        return Translator(loaded, trained_on=TrainedOn.of(self._config), **how)

    @cached_property
    def batches(self) -> list[Any]:
        """The rows of this process in batches of few shapes.

        A batch has as many tokens at most as one of a search has.
        """
        lengths = np.array([[len(ids) for ids in pair] for pair in self._pairs], np.int32)
        every = devices.count() * self._processes.count
        capacity = Capacity(self._config.decoding.batch, devices=every)
        few = SentenceBatchConfig(buckets=BUCKETS)
        buckets = [
            replace(bucket, rows=capacity.size(max(bucket.source, bucket.target)))
            for bucket in choose_buckets(lengths, few)
        ]
        return [shard(self._read(planned)) for planned in in_order(lengths, buckets)]

    def _read(self, planned: PlannedBatch) -> Batch:
        """Returns the rows of this process in a planned batch, padded."""
        rows, own = own_rows(planned.bucket, self._processes)
        pairs = [self._pairs[pair] for pair in planned.pairs[rows]]
        return pad(pairs, own, shape=self._config.data.input.shape)


def _cut(text: datasets.Dataset, tokenizers: Tokenizers, config: Config) -> Iterator[list[Any]]:
    """Yields the ids of each side, cut as in a search, in the order of the model.

    Sources that are not text are arrays, as a model reads them.
    """
    longest = config.decoding.max_pieces
    if not isinstance(config.data.input, TextInputConfig):
        yield config.data.input.build().arrays(text["source"], before=0)
    for side in config.data.text_sides:
        tokenizer = getattr(tokenizers, side)
        ids, name = tokenizer.encode_batch(text[side]), f"{side} of validation"
        numbers = range(1, len(ids) + 1)
        cut = limits.cut(ids, eos=tokenizer.eos, longest=longest, numbers=numbers, side=name)
        yield cut if side == "source" else list(map(tokenizers.turned, cut))
