"""One window of lines: pieces, batches, search or forced decoding, translations in order."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from nmt.config import DecodingConfig
from nmt.config.data import WORD_BOUNDARIES, WordBoundaries
from nmt.data.constraints import Line, apart
from nmt.data.tokenizer import Tokenizers
from nmt.inference import constrained, devices, limits
from nmt.inference.copying import Copier
from nmt.inference.forced import Forced, force_all
from nmt.inference.predictor import Loaded
from nmt.inference.searcher import Searcher
from nmt.inference.shortlist import Lexicon
from nmt.inference.translation import Translation, distinct, empty_translation
from nmt.inference.unseen import Remainder, remainders


class WindowTranslator:
    """A model with all that it needs to translate and to align the lines of one window."""

    def __init__(
        self,
        loaded: Loaded,
        *,
        tokenizers: Tokenizers,
        config: DecodingConfig,
        lexicon: Lexicon | None = None,
        word_boundaries: WordBoundaries = WORD_BOUNDARIES,
        dictionary: Mapping[str, str] | None = None,
    ) -> None:
        """Takes a model; `dictionary` has translations of words that the vocabulary lacks."""
        self.loaded = devices.replicate(loaded)
        self.tokenizers = tokenizers
        self.config = config
        self.lexicon = lexicon
        self.word_boundaries = word_boundaries
        self.dictionary = dict(dictionary or {})

    def translate_window(
        self, lines: Sequence[Line], n_best: int, *, before: int
    ) -> list[list[Translation]]:
        """Returns the `n_best` translations of each line; `before` lines came earlier."""
        texts, constraints = apart(lines)
        remaining, ids = self._pieces("source", texts, before=before)
        copier = Copier(self.tokenizers, self.config.unknown, self.dictionary)
        translations = [
            [empty_translation(each.line, copier.only(each), self.word_boundaries)]
            for each in remaining
        ]
        real = [i for i in range(len(lines)) if len(ids[i]) > 1]
        searcher = Searcher(self.loaded, self.tokenizers, self.config, self.lexicon)
        options = {"n_best": n_best, "before": before}
        for i, ranked in constrained.search(searcher, ids, real, constraints, **options):
            candidates = (
                Translation.of(
                    self.tokenizers,
                    source=(remaining[i], ids[i]),
                    target=(None, found.tokens),
                    score=found.score,
                    log_prob=found.log_prob,
                    attention=found.attention,
                    word_boundaries=self.word_boundaries,
                )
                for found in ranked
            )
            complete = (copier.completed(each, remaining[i], ids[i]) for each in candidates)
            translations[i] = list(islice(distinct(complete), n_best)) or translations[i]
        limits.warn_of_cut(before + i + 1 for i in real if translations[i][0].is_cut)
        return translations

    def align_window(
        self, window: Sequence[tuple[str, str]], *, before: int, method: str
    ) -> list[Translation]:
        """Returns the forced decoding of each (source, target) pair."""
        sources, targets = zip(*window, strict=True)
        lines, source_ids = self._pieces("source", sources, before=before)
        texts, target_ids = self._pieces("target", targets, before=before)
        pairs = list(zip(source_ids, target_ids, strict=True))
        real = [i for i, (source, _) in enumerate(pairs) if len(source) > 1]
        aligned = [empty_translation(*pair, self.word_boundaries) for pair in window]
        for forced in self.force(pairs, real, method=method):
            ids, tokens = pairs[forced.number]
            aligned[forced.number] = Translation.of(
                self.tokenizers,
                source=(lines[forced.number], ids),
                target=(texts[forced.number], tokens),
                score=forced.score,
                log_prob=forced.log_prob,
                attention=forced.matrix,
                method=method,
                word_boundaries=self.word_boundaries,
            )
        return aligned

    def force(
        self,
        pairs: Sequence[tuple[Sequence[int], Sequence[int]]],
        real: Sequence[int],
        *,
        method: str,
    ) -> Iterator[Forced]:
        """Yields the forced decoding of the pairs of ids that `real` numbers, in any order."""
        tokenizers, config = self.tokenizers, self.config
        return force_all(
            self.loaded, pairs, real, tokenizers=tokenizers, config=config, method=method
        )

    def _pieces(
        self, side: str, lines: Sequence[str], *, before: int
    ) -> tuple[list[Remainder], list[list[int]]]:
        """Returns what remains of each line when unseen characters are set aside, and its ids."""
        tokenizer, config = getattr(self.tokenizers, side), self.config
        remaining, encoded = remainders(tokenizer, lines, copy=config.copy_unseen)
        longest, eos = config.max_pieces, tokenizer.eos
        return remaining, limits.cut(encoded, eos=eos, longest=longest, before=before, side=side)
