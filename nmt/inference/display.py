"""A translation as a notebook shows it: source, text, score, and a heat map that can be pointed at.

It needs no script, so that a notebook that is not trusted shows it too.
"""

from html import escape
from typing import TYPE_CHECKING

from nmt import colors
from nmt.evaluation.words import WordMatrix

if TYPE_CHECKING:
    from nmt.inference.translation import Translation

LARGEST = 60  # words on a side of a heat map; a larger one is no small picture

_STYLE = """
.nmt-attention tr { background: none !important }
.nmt-attention th { font-weight: normal; text-align: right; white-space: nowrap }
.nmt-attention thead th { writing-mode: vertical-rl; text-orientation: sideways; text-align: left }
.nmt-attention thead th { transform: rotate(180deg) }
.nmt-attention thead th:first-child { writing-mode: unset; transform: none; font-style: italic }
.nmt-attention td { min-width: 1.6em; height: 1.6em; padding: 0; border: 1px solid #8884 }
.nmt-attention tbody:has(tr:hover) tr:not(:hover) td { opacity: 0.15 }
"""


def as_html(translation: "Translation") -> str:
    """Returns HTML of a translation, whose text may be any.

    Pointing at a word leaves its row or its column, pointing at a cell tells its weight.
    """
    lines = [
        f'<p dir="auto">{escape(translation.source)}</p>',
        f'<p dir="auto"><b>{escape(translation.text)}</b> '
        f"<small>(score {translation.score:.2f})</small></p>",
    ]
    matrix = translation.words
    if translation.attention.size and max(matrix.weights.shape) <= LARGEST:
        lines.append(_heat_map(matrix, translation.method))
    return f'<div class="tex2jax_ignore mathjax_ignore">{"".join(lines)}</div>'  # $ is no formula


def _heat_map(matrix: WordMatrix, method: str) -> str:
    """Returns a style and a table: a row for each target word, a column for each source word."""
    rules = [
        f".nmt-attention:has(thead th:nth-child({n}):hover) td:not(:nth-child({n}))"
        " { opacity: 0.15 }"
        for n in range(2, len(matrix.source) + 2)
    ]
    heads = "".join(f'<th scope="col" dir="auto">{escape(word)}</th>' for word in matrix.source)
    rows = [
        f'<tr><th scope="row" dir="auto">{escape(word)}</th>'
        + "".join(
            _cell(f"{source} → {word}", float(weight))
            for source, weight in zip(matrix.source, weights, strict=True)
        )
        + "</tr>"
        for word, weights in zip(matrix.target, matrix.weights, strict=True)
    ]
    style = "\n".join([_STYLE.strip(), *rules])
    return (
        f'<style>\n{style}\n</style>\n<table class="nmt-attention">'
        f"<thead><tr><th>{escape(method)}</th>{heads}</tr></thead>\n"
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def _cell(words: str, weight: float) -> str:
    color = "rgba({}, {}, {}, {:.2f})".format(*colors.ATTENTION, min(max(weight, 0.0), 1.0))
    return f'<td style="background: {color}" title="{escape(words)}: {weight:.2f}"></td>'
