"""What `nmt plot` draws: translations or captions, as a figure and as a page."""

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from nmt.cli import options
from nmt.cli.sentences import Examples
from nmt.data import writing
from nmt.errors import DataError


def found(translator: Any, examples: Examples, *, n_best: int) -> list[list[Any]]:
    """Returns what to draw of each source: hypotheses, or the given target.

    Of other hypotheses than the best, those without text have nothing to draw, and are left out.

    Raises:
        DataError: the source or what is written for it is empty, or was copied whole.
    """
    if examples.target is not None:
        aligned = translator.align(examples.sources, examples.target)
        drawn = [[each[0] if isinstance(each, tuple) else each] for each in aligned]
    else:
        drawn = list(translator.stream(examples.sources, n_best=n_best))
    for number, (best, *_) in enumerate(drawn, start=1):
        where = f"{examples.noun} {number}: nothing to draw"
        if not best.source_words.labels or not best.text.strip():
            raise DataError(f"{where}, it or its translation is empty")
        if not best.attention.size:
            raise DataError(f"{where}, its translation has no attention, as one that is copied")
    return [[best, *(each for each in rest if each.attention.size)] for best, *rest in drawn]


def draw(
    translator: Any,
    drawn: Sequence[Sequence[Any]],
    methods: Sequence[str],
    *,
    output: Path | None,
    page: Path | None,
    gold: Sequence[Any] | None,
    **style: Any,
) -> None:
    """Writes the figure and the page of what was found, and prints its texts.

    `style` is that of `plotting.panel`.
    """
    from nmt import plotting

    shown = [each for hypotheses in drawn for each in hypotheses]
    methods = methods or [translator.method]
    over_pictures = getattr(shown[0], "grid", None) is not None
    panels = _panels(translator, shown, methods, gold=gold, over_pictures=over_pictures, **style)
    if output is not None:
        if over_pictures:
            figure = plotting.overlays([row for each in panels for row in each.values()])
        else:
            figure = plotting.grid(_rows(panels, [len(each) for each in drawn]))
        plotting.save(figure, output)
    if page is not None:
        with options.writer(page) as out:
            out.write((plotting.picture_page if over_pictures else plotting.page)(panels))
    if page != writing.STDOUT:
        for each in shown:
            print(each.text)


def _panels(
    translator: Any,
    shown: Sequence[Any],
    methods: Sequence[str],
    *,
    gold: Sequence[Any] | None,
    over_pictures: bool,
    **style: Any,
) -> list[dict[str, Any]]:
    """Returns the heat maps, or the overlays, of each translation by method."""
    from nmt import plotting

    panels: list[dict[str, Any]] = [{} for _ in shown]
    for name in methods:
        title = name if len(methods) > 1 else None
        own = all(each.method == name for each in shown)
        for row, each in enumerate(shown if own else translator.explain(shown, method=name)):
            if over_pictures:
                panels[row][name] = plotting.Overlay.of(each, title=title, **style)
            else:
                links = gold[row] if gold else None
                panels[row][name] = plotting.panel(each, title=title, gold=links, **style)
    return panels


def _rows(panels: list[dict[str, Any]], hypotheses: list[int]) -> list[list[Any]]:
    """Returns rows of heat maps: one row for each sentence with several methods or hypotheses."""
    from nmt import plotting

    if len(panels[0]) > 1:
        return [list(each.values()) for each in panels]
    single = [panel for each in panels for panel in each.values()]
    if max(hypotheses) == 1:
        return plotting.wrapped(single)
    remaining = iter(single)
    return [list(islice(remaining, number)) for number in hypotheses]
