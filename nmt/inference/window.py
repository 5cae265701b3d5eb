"""One window of lines: pieces, batches, search or forced decoding, translations in order."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import islice

from nmt import devices
from nmt.arguments import checked_terms
from nmt.config import DecodingConfig
from nmt.config.data import WORD_BOUNDARIES, WordBoundaries
from nmt.data.constraints import Constraints, Line, apart
from nmt.data.glossary import Glossary
from nmt.data.tokenizers import Tokenizers
from nmt.inference import constrained, limits
from nmt.inference.copying import Copier
from nmt.inference.explanations import chosen_method
from nmt.inference.forced import Forced, force_all
from nmt.inference.joining import Joiner, is_too_large
from nmt.inference.predictor import Loaded
from nmt.inference.risk import ranking
from nmt.inference.search import FEWEST
from nmt.inference.searcher import Searcher
from nmt.inference.shortlist import Lexicon
from nmt.inference.splitting import Splitter, TrainedOn
from nmt.inference.translation import Translation, empty_translation
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
        glossary: Mapping[str, str] | None = None,
        trained_on: TrainedOn | None = None,
    ) -> None:
        """Takes a model.

        `dictionary` has translations of words that the vocabulary lacks, and `glossary` the terms
        that a translation must have where its source has theirs.
        """
        self.loaded = devices.replicate(loaded)
        self.tokenizers = tokenizers
        self.config = config
        self.lexicon = lexicon
        self.word_boundaries = word_boundaries
        rule = "a dictionary is a mapping from words to their translations"
        self.dictionary = checked_terms(dictionary or {}, rule)
        self.glossary = Glossary(glossary or {})
        self.trained_on = trained_on or TrainedOn()
        self.warn: limits.Warn = limits.warn_of
        self.fewest = FEWEST

    def translate_window(
        self, lines: Sequence[Line], n_best: int, *, before: int
    ) -> list[list[Translation]]:
        """Returns the `n_best` translations of each line; `before` lines came earlier."""
        divided = self.splitter.divided(lines)
        parts = [line.line(place) for line in divided for place in range(len(line.parts))]
        numbers = [number for number, line in enumerate(divided, before + 1) for _ in line.parts]
        found = iter(self.translate_parts(parts, n_best, numbers=numbers))
        joined = [
            self.joiner.joined(line, list(islice(found, len(line.parts))), n_best)
            for line in divided
        ]
        numbered = enumerate(joined, start=before + 1)
        if long := [number for number, ranked in numbered if is_too_large(ranked[0].parts)]:
            self.warn(long, limits.TOO_LARGE)
        return joined

    @property
    def splitter(self) -> Splitter:
        """What divides lines into the parts that `translate_parts` takes."""
        return Splitter(self.tokenizers.source, self.config, self.trained_on)

    @property
    def joiner(self) -> Joiner:
        """What joins the translations of parts."""
        return Joiner(self.tokenizers, self.config.copy_unseen)

    def translate_parts(
        self, parts: Sequence[Line], n_best: int, *, numbers: Sequence[int]
    ) -> list[list[Translation]]:
        """Returns the translations of parts of lines, which are not divided further.

        A warning names a part by the number of its line, which `numbers` has.
        """
        lines, constraints = apart(parts)
        wanted = [
            self._with_terms(each, line) for line, each in zip(lines, constraints, strict=True)
        ]
        remaining, ids = self._pieces("source", lines, numbers=numbers)
        copier = Copier(self.tokenizers, self.config.unknown, self.dictionary)
        translations = [
            [empty_translation(each.line, copier.only(each), self.word_boundaries)]
            for each in remaining
        ]
        real = [i for i in range(len(lines)) if len(ids[i]) > 1]
        ranked_by = ranking(self.config)
        wide = self.config.candidates or n_best
        method = self.method
        search = partial(
            constrained.search, self.searcher, n_best=wide, numbers=numbers, warn=self.warn
        )
        for i, ranked in search(ids, real, wanted):
            candidates = (
                Translation.of(
                    self.tokenizers,
                    source=(remaining[i], ids[i]),
                    target=(None, found.tokens),
                    score=found.score,
                    log_prob=found.log_prob,
                    piece_log_probs=found.token_log_probs,
                    attention=found.attention,
                    method=method,
                    word_boundaries=self.word_boundaries,
                )
                for found in ranked
            )
            complete = (copier.completed(each, remaining[i], ids[i]) for each in candidates)
            translations[i] = list(islice(ranked_by(complete), n_best)) or translations[i]
        if cut := [numbers[i] for i in real if translations[i][0].is_cut]:
            self.warn(list(dict.fromkeys(cut)), limits.CUT)  # a line may have several parts
        return translations

    @property
    def method(self) -> str:
        """The method whose matrix translations have: guided with a guided head, else attention."""
        return chosen_method(None, self.loaded)

    @property
    def searcher(self) -> Searcher:
        """The search for tokens."""
        parts = self.loaded, self.tokenizers, self.config, self.lexicon
        return Searcher(*parts, fewest=self.fewest)

    def _with_terms(self, constraints: Constraints, source: str) -> Constraints:
        """Returns constraints with the terms that the glossary has for a source."""
        terms = self.glossary.required(source)
        return constraints.with_more(Constraints(require=terms)) if terms else constraints

    def align_window(
        self, window: Sequence[tuple[str, str]], *, before: int, method: str | None
    ) -> list[Translation]:
        """Returns the forced decoding of each (source, target) pair; see `align` for `method`."""
        method = chosen_method(method, self.loaded)
        sources, targets = zip(*window, strict=True)
        numbers = range(before + 1, before + 1 + len(window))
        lines, source_ids = self._pieces("source", sources, numbers=numbers)
        texts, target_ids = self._pieces("target", targets, numbers=numbers)
        pairs = list(zip(source_ids, target_ids, strict=True))
        real = [i for i, pair in enumerate(pairs) if max(map(len, pair)) > 1]
        aligned = [empty_translation(*pair, self.word_boundaries) for pair in window]
        for forced in self.force(pairs, real, method=method):
            ids, tokens = pairs[forced.number]
            aligned[forced.number] = Translation.of(
                self.tokenizers,
                source=(lines[forced.number], ids),
                target=(texts[forced.number], tokens),
                score=forced.score,
                log_prob=forced.log_prob,
                piece_log_probs=forced.log_probs,
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
        self, side: str, lines: Sequence[str], *, numbers: Sequence[int]
    ) -> tuple[list[Remainder], list[list[int]]]:
        """Returns what remains of each line when unseen characters are set aside, and its ids."""
        tokenizer, config = getattr(self.tokenizers, side), self.config
        keep = config.placeholders
        remaining, encoded = remainders(tokenizer, lines, copy=config.copy_unseen, keep=keep)
        longest, eos = config.max_pieces, tokenizer.eos
        return remaining, limits.cut(
            encoded, eos=eos, longest=longest, numbers=numbers, side=side, warn=self.warn
        )
