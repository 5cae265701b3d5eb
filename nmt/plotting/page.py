"""An HTML page of attention: pointing at a word highlights the words it is aligned with."""

import html
import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from string import Template

from nmt.plotting.heatmaps import Panel


def page(sentences: Sequence[Mapping[str, Panel]], *, title: str = "Attention") -> str:
    """Returns an HTML page that shows sentences with their heat maps, by the names of methods.

    The page is a single file. Pointing at a target word highlights its source words by their
    weight, and a source word its target words; the method is chosen at the top.

    Raises:
        ValueError: there are no sentences, or not all have the same methods.
    """
    if not sentences or any(set(each) != set(sentences[0]) for each in sentences):
        raise ValueError("a page needs sentences, and the same methods for each")
    data = json.dumps([_as_data(panels) for panels in sentences], ensure_ascii=False)
    frame, style, script = (
        (files("nmt.plotting") / name).read_text(encoding="utf-8")
        for name in ("page.html", "page.css", "page.js")
    )
    return Template(frame).substitute(
        title=html.escape(title),
        style=style,
        data=data.replace("<", "\\u003c"),  # so that no text can end the script element
        script=script,
    )


def _as_data(panels: Mapping[str, Panel]) -> dict[str, object]:
    first = next(iter(panels.values()))
    return {
        "source": list(first.source),
        "target": list(first.target),
        "methods": {
            name: each.weights.astype(float).round(4).tolist() for name, each in panels.items()
        },
    }
