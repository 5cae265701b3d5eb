"""A page that shows what was looked at: pointing at a word lights up the words it is tied to."""

import html
import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from string import Template

from nmt.plotting.heatmaps import Panel


def page(sentences: Sequence[Mapping[str, Panel]], *, title: str = "Attention") -> str:
    """Returns an HTML page of sentences, each with its heat map by every method.

    It is one file that asks for no other. A target word lights up its source words, a source word
    its target words, by their weight; the method is chosen above.

    Raises:
        ValueError: there are no sentences, or they differ in their methods.
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
        data=data.replace("<", "\\u003c"),  # nothing in it may end the script that holds it
        script=script,
    )


def _as_data(panels: Mapping[str, Panel]) -> dict[str, object]:
    first = next(iter(panels.values()))
    return {
        "source": list(first.source),
        "target": list(first.target),
        "methods": {
            name: [[round(float(weight), 4) for weight in row] for row in each.weights]
            for name, each in panels.items()
        },
    }
