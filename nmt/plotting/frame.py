"""The frame of the interactive pages: a single file with its data, style and script."""

import html
import json
from collections.abc import Collection, Mapping, Sequence
from importlib.resources import files
from string import Template
from typing import Any


def check_methods(sentences: Sequence[Collection[str]]) -> None:
    """Checks that a page can show sentences, of each of which the names of its methods are given.

    Raises:
        ValueError: there are no sentences or no methods, or not all have the same methods.
    """
    methods = [set(each) for each in sentences]
    if not methods or not methods[0] or any(each != methods[0] for each in methods):
        raise ValueError("a page needs sentences, and the same methods for each, one at least")


def framed(sentences: Sequence[Mapping[str, Any]], *, title: str, script: str) -> str:
    """Returns a page that gives sentences, as JSON, to the script of this name in this folder.

    Each sentence has `methods`: what the script shows of it, by the name of each method.
    """
    data = json.dumps(sentences, ensure_ascii=False)
    return Template(_read("frame.html")).substitute(
        title=html.escape(title),
        style=_read("frame.css"),
        data=data.replace("<", "\\u003c"),  # so that no text can end the script element
        script=_read("frame.js") + _read(script),
    )


def _read(name: str) -> str:
    return (files("nmt.plotting") / name).read_text(encoding="utf-8")
