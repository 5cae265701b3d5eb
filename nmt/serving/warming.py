"""Warming: the programs that most requests need are compiled before anybody asks for them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import product

from nmt.config import DecodingConfig
from nmt.inference.batches import FEW, WIDTHS, Capacity, width_of
from nmt.inference.searcher import Searcher
from nmt.inference.splitting import Splitter
from nmt.inference.translator import Translator

FEWEST = 4  # sentences of half a batch: most searches of a server are small


def adapted(translator: Translator) -> Translator:
    """Returns a translator that searches a few lines at a time, which on a CPU is as fast as many.

    Its programs are larger, and compiled once; then a search costs less, since a batch is halved.
    """
    config = translator.config
    width = config.strategy.build(config, n_best=1).width
    batch = max(FEW, FEW * width // 4)  # gives FEW sentences: see Capacity.size
    return translator.changed(batch=min(config.batch, batch), fewest=FEWEST)


def searches(translator: Translator, *, longest: int | None = None) -> list[Callable[[], object]]:
    """Returns searches that compile each program for lines of up to so many pieces.

    If it is not given, that is how long the lines are that the model was trained on. Which requests
    these programs are for is said by `is_usual` and `is_warmed_alone`.
    """
    config, tokenizer = translator.config, translator.tokenizers.source
    if longest is None:
        longest = Splitter(tokenizer, config, translator.trained_on).longest
    widths = {width_of(min(width, longest)) for width in WIDTHS} if longest > 0 else set()
    numbers = {config.candidates or n for n in (1, config.strategy.most(config.beam) or 1)}
    return [
        partial(_search, translator.searcher, rows=rows, width=min(width, longest), n_best=n_best)
        for width, n_best in product(sorted(widths), sorted(numbers))
        for rows in sorted(_sizes(config, width, n_best=n_best))
        if rows == 1 or is_usual(config, n_best)
    ]


def is_usual(config: DecodingConfig, n_best: int) -> bool:
    """Whether so many translations are searched as one is, by programs for lines side by side."""
    return n_best == 1 or config.candidates is not None


def is_warmed_alone(config: DecodingConfig, n_best: int) -> bool:
    """Whether there are programs for a line alone, as who wants several translations has, mostly.

    All numbers of translations that a beam holds have one program; each number of samples has its
    own.
    """
    return is_usual(config, n_best) or config.strategy.most(config.beam) is not None


def run(searches: list[Callable[[], object]], *, threads: int) -> None:
    """Runs searches, so many at once."""
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda search: search(), searches))


def _sizes(config: DecodingConfig, width: int, *, n_best: int) -> set[int]:
    strategy = config.strategy.build(config, n_best=n_best)
    most = Capacity(config.batch, beam=strategy.width).size(width)
    return {1, min(FEW, most), most}


def _search(searcher: Searcher, *, rows: int, width: int, n_best: int) -> None:
    tokenizer = searcher.tokenizers.source
    sentence = [*[tokenizer.unk] * (width - 1), tokenizer.eos]
    list(searcher.all([sentence] * rows, range(rows), n_best=n_best))
