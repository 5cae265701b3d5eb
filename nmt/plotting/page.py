"""An HTML page of attention: pointing at a word highlights the words it is aligned with."""

from collections.abc import Mapping, Sequence

from nmt.plotting.frame import check_methods, framed
from nmt.plotting.heatmaps import Panel


def page(sentences: Sequence[Mapping[str, Panel]], *, title: str = "Attention") -> str:
    """Returns an HTML page that shows sentences with their heat maps, by the names of methods.

    The page is a single file. Pointing at a target word highlights its source words by their
    weight, and a source word its target words; the method is chosen at the top.

    Raises:
        ValueError: there are no sentences or no methods, or not all have the same methods.
    """
    check_methods(sentences)
    return framed([_as_data(panels) for panels in sentences], title=title, script="page.js")


def _as_data(panels: Mapping[str, Panel]) -> dict[str, object]:
    first = next(iter(panels.values()))
    return {
        "source": list(first.source),
        "target": list(first.target),
        "methods": {
            name: each.weights.astype(float).round(4).tolist() for name, each in panels.items()
        },
    }
