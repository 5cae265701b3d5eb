"""From vectors or pictures to texts: what `Translator` does, for sources that are not text."""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from pathlib import PurePath
from typing import Any, overload

from nmt import devices
from nmt.arguments import checked
from nmt.checkpoints import Which
from nmt.config import DecodingConfig
from nmt.config.data import WORD_BOUNDARIES, WordBoundaries
from nmt.config.inputs import GivenInputConfig
from nmt.counting import counted
from nmt.data.constraints import NONE, Constraints, OfLines, with_constraints
from nmt.data.given import Array
from nmt.data.tokenizers import Tokenizers
from nmt.errors import DataError
from nmt.inference import constrained, limits, loading
from nmt.inference.batches import windows
from nmt.inference.caption import Caption
from nmt.inference.explanations import chosen_method
from nmt.inference.forced import force_all
from nmt.inference.loading import Runs
from nmt.inference.predictor import Loaded
from nmt.inference.risk import ranking
from nmt.inference.searcher import Searcher

SEVERAL = "a captioner takes several sources, such as a list"


class Captioner:
    """A trained model, or an ensemble, that reads pictures or vectors: `Captioner.load("runs/x")`.

    A picture is a path, the bytes of a file, an image of Pillow, or an array of RGB pixels (height,
    width, 3); vectors are an array (positions, size).
    """

    def __init__(
        self,
        loaded: Loaded,
        *,
        tokenizers: Tokenizers,
        config: DecodingConfig,
        input: GivenInputConfig,
        word_boundaries: WordBoundaries = WORD_BOUNDARIES,
    ) -> None:
        self.loaded = devices.replicate(loaded)
        self.tokenizers = tokenizers
        self.config = config.model_copy(update={"unknown": "forbid"})  # there is none to copy
        self.kind = input.build()
        self.shape = input.shape
        self.word_boundaries = word_boundaries
        self.warn: limits.Warn = limits.warn_of

    @classmethod
    def load(
        cls, runs: Runs, *, checkpoint: Which | int = "best", trust: bool = False, **decoding: Any
    ) -> "Captioner":
        """Reads a run folder or a bundle, or several as an ensemble, as `Translator.load` does.

        Raises:
            RunError: there is no such run, bundle or checkpoint, or it asks for trust.
            ConfigError: there is no such decoding setting, or it cannot have that value.
            DataError: its sources are text, or the runs of an ensemble do not fit.
        """
        return cls(**loading.captioner(runs, checkpoint=checkpoint, trust=trust, decoding=decoding))

    @property
    def method(self) -> str:
        """The method whose matrix captions have."""
        return chosen_method(None, self.loaded)

    @property
    def window(self) -> int:
        """The number of sources that are read ahead, sorted and decoded together."""
        return 8 * self.config.batch

    def translate(self, sources: Iterable[Any], *, constraints: OfLines = NONE) -> list[Caption]:
        """Returns the best text for each source, in order.

        Raises:
            DataError: a source cannot be read, or the search cannot have such constraints.
            TypeError: one source is given, and not several.
        """
        return [best for best, *_ in self.stream(sources, constraints=constraints)]

    def stream(
        self, sources: Iterable[Any], *, constraints: OfLines = NONE, n_best: int = 1
    ) -> Iterator[list[Caption]]:
        """Returns the `n_best` texts for each source, best first, reading ahead a window.

        Raises:
            DataError: as `translate`, or `n_best` is more than the beam holds.
            TypeError: as `translate`.
        """
        limits.check_number(n_best, self.config)
        waiting: Any = with_constraints(_several(sources), constraints)
        return chain.from_iterable(
            self._searched(window, n_best, before=before)
            for before, window in windows(waiting, self.window)
        )

    def align(
        self, sources: Iterable[Any], targets: Iterable[str], *, method: str | None = None
    ) -> list[Caption]:
        """Force-decodes given texts; returns the score and the attention of each.

        The matrix of a `method` replaces attention, as in `Translator.align`.

        Raises:
            DataError: the two sides differ in length, or there is no such method.
            TypeError: one source or target is given, and not several.
        """
        method = chosen_method(method, self.loaded)
        given = list(_several(sources))
        texts = list(checked(targets, str, "targets are several strings, such as a list"))
        if len(given) != len(texts):
            raise DataError(
                f"{counted(len(given), 'source')} but {counted(len(texts), 'target line')}"
            )
        arrays = self.kind.arrays(given, before=0)
        tokenizer = self.tokenizers.target
        ids = limits.cut(
            tokenizer.encode_batch(texts),
            eos=tokenizer.eos,
            longest=self.config.max_pieces,
            numbers=range(1, len(texts) + 1),
            side="target",
            warn=self.warn,
        )
        captions = [
            self._caption(array, tokens, text, source=_name(source), score=0.0, log_prob=0.0)
            for source, array, tokens, text in zip(given, arrays, ids, texts, strict=True)
        ]
        return self._forced(captions, method=method)

    def score(self, sources: Iterable[Any], targets: Iterable[str]) -> list[Caption]:
        """Returns given texts with the log-probability of each piece and word."""
        return self.align(sources, targets)

    @overload
    def explain(self, translations: Caption, *, method: str) -> Caption: ...
    @overload
    def explain(self, translations: Iterable[Caption], *, method: str) -> list[Caption]: ...
    def explain(self, translations: Any, *, method: str) -> Any:
        """Returns the same texts, piece for piece, with the matrix of another method.

        One that has a matrix of this method already stays as it is, whichever model has made it.

        Raises:
            DataError: the model has no such method, or has not the pieces of a text, or reads
                vectors of another size.
            TypeError: `translations` are neither a caption nor captions.
        """
        chosen_method(method, self.loaded)
        if isinstance(translations, Caption):
            return self.explain([translations], method=method)[0]
        rule = "explain takes a Caption or an iterable of them"
        found = list(checked(translations, Caption, rule))
        real = [i for i, each in enumerate(found) if each.attention.size and each.method != method]
        for each in (found[i] for i in real):
            if each.given.shape[1] != self.shape.size:
                raise DataError(
                    f"a caption was made from vectors of {each.given.shape[1]} components, and "
                    f"this model reads {self.shape.size}; explain it with the model that made it"
                )
        explained = self._forced([found[i] for i in real], method=method)
        for i, new in zip(real, explained, strict=True):
            found[i] = dataclasses.replace(found[i], attention=new.attention, method=method)
        return found

    def _searched(
        self, window: Sequence[tuple[Any, Constraints]], n_best: int, *, before: int
    ) -> Iterator[list[Caption]]:
        """Yields the texts for each source of a window."""
        sources, wanted = zip(*window, strict=True)
        numbers = range(before + 1, before + 1 + len(window))
        arrays = self.kind.arrays(sources, before=before)
        real = [i for i, array in enumerate(arrays) if len(array)]
        parts = self.loaded, self.tokenizers, self.config, None
        searcher = Searcher(*parts, shape=self.shape)
        ranked_by = ranking(self.config)
        wide = self.config.candidates or n_best
        how: dict[str, Any] = {"n_best": wide, "numbers": numbers, "warn": self.warn}
        texts = [
            [self._caption(array, [], source=_name(source), score=0.0, log_prob=0.0)]
            for array, source in zip(arrays, sources, strict=True)
        ]
        for i, ranked in constrained.search(searcher, arrays, real, wanted, **how):
            captions = (
                self._caption(
                    arrays[i],
                    found.tokens,
                    source=_name(sources[i]),
                    score=found.score,
                    log_prob=found.log_prob,
                    piece_log_probs=found.token_log_probs,
                    attention=found.attention,
                )
                for found in ranked
            )
            texts[i] = list(islice(ranked_by(captions), n_best)) or texts[i]
        if cut := [numbers[i] for i in real if texts[i][0].is_cut]:
            self.warn(cut, limits.CUT)
        yield from texts

    def _forced(self, captions: Sequence[Caption], *, method: str) -> list[Caption]:
        """Returns captions with the results of forced decoding."""
        target = self.tokenizers.target
        pairs = [(each.given, target.ids(each.target_pieces)) for each in captions]
        real = [i for i, (array, ids) in enumerate(pairs) if len(array) and ids]
        how: dict[str, Any] = {"tokenizers": self.tokenizers, "config": self.config}
        how["shape"] = self.shape
        done = list(captions)
        for forced in force_all(self.loaded, pairs, real, method=method, **how):
            done[forced.number] = dataclasses.replace(
                captions[forced.number],
                score=forced.score,
                log_prob=forced.log_prob,
                piece_log_probs=forced.log_probs,
                attention=forced.matrix,
                method=method,
            )
        return done

    def _caption(
        self, array: Array, tokens: Sequence[int], text: str | None = None, **measured: Any
    ) -> Caption:
        return Caption.of_pieces(
            self.tokenizers,
            tokens,
            text,
            given=array,
            grid=self.shape.grid,
            word_boundaries=self.word_boundaries,
            **measured,
        )


def _several(sources: Any) -> Iterator[Any]:
    """Yields the sources.

    Raises:
        TypeError: they are one, such as the array of one source.
    """
    if getattr(sources, "ndim", None) == 2:
        raise TypeError(f"{SEVERAL}, not one {type(sources).__name__}")
    return checked(sources, object, SEVERAL)


def _name(source: Any) -> str:
    """Returns the path of a source, or nothing."""
    if isinstance(source, Mapping):
        source = source.get("path")
    return str(source) if isinstance(source, str | PurePath) else ""
