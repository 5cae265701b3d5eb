"""From strings to translations: tokenize, sort into batches, search, detokenize, restore order."""

import copy
import dataclasses
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, overload

import jax
import numpy as np

from nmt.arguments import checked, checked_pair, checked_sides
from nmt.checkpoints import Which
from nmt.data.constraints import NONE, Constraints, Line, OfLines, with_constraints
from nmt.inference import limits, loading
from nmt.inference.batches import BATCHES_AHEAD, windows
from nmt.inference.explanations import chosen_method
from nmt.inference.joining import parts_of, with_parts
from nmt.inference.loading import Runs
from nmt.inference.translation import Translation
from nmt.inference.window import WindowTranslator


class Translator(WindowTranslator):
    """A trained model, or an ensemble, that translates strings: `Translator.load("runs/x")`."""

    @classmethod
    def load(
        cls,
        runs: Runs,
        *,
        checkpoint: Which | int = "best",
        trust: bool = False,
        dictionary: Mapping[str, str] | None = None,
        glossary: Mapping[str, str] | None = None,
        **decoding: Any,
    ) -> "Translator":
        """Reads a run folder; keyword arguments such as `beam=1` replace its decoding settings.

        A bundle is read in the same way, from a folder or, as "hf:USER/NAME[@REVISION]", from the
        hub. Several of these are an ensemble, with the settings of the first. The checkpoint is the
        best, the last or the averaged one, or that of a step. A class of the user's own that a
        run's configuration names is imported with `trust` only. `dictionary` has translations of
        words that the vocabulary lacks; `glossary` has the target terms of source terms.

        Raises:
            RunError: there is no such run, bundle, checkpoint or table for a shortlist, or it asks
                for trust.
            ConfigError: there is no such decoding setting, or it cannot have that value.
            DataError: the runs of an ensemble have other vocabularies, or write in other orders.
        """
        parts = loading.load(runs, checkpoint=checkpoint, trust=trust, decoding=decoding)
        return cls(**parts, dictionary=dictionary, glossary=glossary)

    def changed(
        self, *, warn: limits.Warn | None = None, fewest: int | None = None, **decoding: Any
    ) -> "Translator":
        """Returns a translator with the same model, and other settings, which must be valid."""
        new = copy.copy(self)
        new.config = self.config.model_copy(update=decoding)
        new.warn, new.fewest = warn or self.warn, fewest or self.fewest
        return new

    def dividing(self) -> "Translator":
        """Returns a translator with the same model, which divides every line into sentences."""
        return self.changed(split=self.config.split.model_copy(update={"when": "always"}))

    @overload
    def translate(self, lines: str, *, constraints: Constraints = ...) -> Translation: ...
    @overload
    def translate(
        self, lines: Iterable[str], *, constraints: OfLines = ...
    ) -> list[Translation]: ...
    def translate(self, lines: Any, *, constraints: OfLines = NONE) -> Any:
        """Returns the best translation of a line, or of each line, in order.

        The translation of an empty line is empty. Constraints are those of all lines, or one for
        each. Where they cannot be satisfied, a warning names the line, whose translation has none.

        Raises:
            DataError: the model or the search cannot have such constraints, or some lack theirs.
            TypeError: `lines` are neither a string nor strings, or some constraints are of no such
                kind.
        """
        if isinstance(lines, str):
            return self.translate([lines], constraints=constraints)[0]
        strings = checked(lines, str, "translate takes a string or an iterable of strings")
        return [best for best, *_ in self.stream(strings, constraints=constraints)]

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of parameters and tokenizers, independent of the settings."""
        digest = hashlib.sha256(self.tokenizers.fingerprint.encode())
        for array in jax.tree.leaves(self.loaded):
            digest.update(np.asarray(array).tobytes())
        return digest.hexdigest()

    @property
    def window(self) -> int:
        """The number of lines that are read ahead, sorted and decoded together."""
        return BATCHES_AHEAD * self.config.batch

    def stream(
        self,
        lines: Iterable[str],
        *,
        constraints: OfLines = NONE,
        n_best: int = 1,
        skip: int = 0,
    ) -> Iterator[list[Translation]]:
        """Returns the `n_best` translations of each line, best first, reading ahead a window.

        No two of them have the same words, so that there may be fewer. The first `skip` lines are
        left out. Constraints are those of `translate`. A warning names lines and translations that
        are too long, and cut.

        Raises:
            DataError: `n_best` is less than 1, or more than the beam holds.
            TypeError: `lines` are no strings.
        """
        strings = checked(lines, str, "stream takes an iterable of strings")
        constrained = with_constraints(strings, constraints)
        return self.stream_windows(windows(constrained, self.window, skip=skip), n_best=n_best)

    def stream_windows(
        self, windows: Iterable[tuple[int, Sequence[Line]]], *, n_best: int = 1
    ) -> Iterator[list[Translation]]:
        """Does what `stream` does for windows of lines, each with the number of lines before it.

        A window is translated before the next one is asked for: lines may come at any time.
        """
        limits.check_number(n_best, self.config)
        return chain.from_iterable(
            self.translate_window(window, n_best, before=before) for before, window in windows
        )

    @overload
    def align(self, sources: str, targets: str, *, method: str | None = ...) -> Translation: ...
    @overload
    def align(
        self, sources: Iterable[str], targets: Iterable[str], *, method: str | None = ...
    ) -> list[Translation]: ...
    def align(self, sources: Any, targets: Any, *, method: str | None = None) -> Any:
        """Force-decodes a given pair, or pairs; returns score and attention of each target.

        A search would rank the target by this score. `method` is one of `methods.METHODS`,
        whose matrix replaces attention, or `guided` for a model with a guided head, of which it is
        the default.

        Raises:
            DataError: the two sides differ in length, or the model has no such method.
            TypeError: the arguments are neither two strings nor strings on both sides.
        """
        if isinstance(sources, str) and isinstance(targets, str):
            return self.align([sources], [targets], method=method)[0]
        return list(self.align_stream(checked_sides(sources, targets), method=method))

    @overload
    def score(self, sources: str, targets: str) -> Translation: ...
    @overload
    def score(self, sources: Iterable[str], targets: Iterable[str]) -> list[Translation]: ...
    def score(self, sources: Any, targets: Any) -> Any:
        """Returns a given pair, or pairs, with the log-probability of each piece and word.

        They are what `align` returns; see `Translation.word_log_probs`.
        """
        return self.align(sources, targets)

    def align_stream(
        self, pairs: Iterable[tuple[str, str]], *, method: str | None = None
    ) -> Iterator[Translation]:
        """Aligns (source, target) pairs as `align` does, in order, reading ahead a window."""
        chosen = chosen_method(method, self.loaded)
        return chain.from_iterable(
            self.align_window(window, before=before, method=chosen)
            for before, window in windows(map(checked_pair, pairs), self.window)
        )

    @overload
    def explain(self, translations: Translation, *, method: str) -> Translation: ...
    @overload
    def explain(self, translations: Iterable[Translation], *, method: str) -> list[Translation]: ...
    def explain(self, translations: Any, *, method: str) -> Any:
        """Returns the same translations, piece for piece, with the matrix of another method.

        One that has a matrix of this method already stays as it is, whichever model has made it.

        Raises:
            DataError: the model has no such method, or has not the pieces of a translation.
            TypeError: `translations` are neither a translation nor translations.
        """
        chosen_method(method, self.loaded)
        if isinstance(translations, Translation):
            return self.explain([translations], method=method)[0]
        rule = "explain takes a Translation or an iterable of them"
        given = list(checked(translations, Translation, rule))
        explained = parts_of(given)
        real = [
            i for i, each in enumerate(explained) if each.attention.size and each.method != method
        ]
        source, target = self.tokenizers.source, self.tokenizers.target
        pairs = [
            (source.ids(each.source_pieces), target.ids(each.target_pieces)) for each in explained
        ]
        for forced in self.force(pairs, real, method=method):
            explained[forced.number] = dataclasses.replace(
                explained[forced.number], attention=forced.matrix, method=method
            )
        return with_parts(given, explained)
