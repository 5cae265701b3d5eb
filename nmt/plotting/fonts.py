"""Choice of installed fonts for a text, and a placeholder for characters that no font has.

Matplotlib shapes text from version 3.11 on: letters are joined, and words of right-to-left scripts
run from right to left.
"""

import warnings
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cache

import regex
from fontTools import unicodedata

from nmt.evaluation.scripts import EAST_ASIAN

PLACEHOLDER = "□"  # for a character that no font has
# Joiners, marks of direction, choices of variants: they change how others are drawn, and need no
# font. The fillers of Hangul, which are letters, do.
_HIDDEN = regex.compile(r"[\p{Default_Ignorable_Code_Point}--\p{Letter}]|\p{Cc}", regex.V1)
_CONTROL = regex.compile(r"(?!\n)\p{Cc}")  # of which there is no letter in any font


def fonts(texts: Iterable[str]) -> tuple[dict[str, frozenset[int]], dict[int, str]]:
    """Returns font families for the texts, and a translation of missing characters to boxes.

    The families are given with their characters.
    """
    from matplotlib.font_manager import findfont

    first = "DejaVu Sans"  # comes with matplotlib
    families = {first: _characters(findfont(first))}
    text = "".join(texts)
    visible = dict.fromkeys(map(ord, _HIDDEN.sub("", text)))  # in the order of the text
    missing = frozenset(visible) - families[first]
    installed = _installed_fonts() if missing else []
    while missing:
        family, path = max(
            installed, key=lambda font: len(missing & _characters(font[1])), default=("", "")
        )
        if not path or not missing & _characters(path):
            characters = "".join(chr(each) for each in visible if each in missing)
            packages = " and ".join(sorted(set(map(_package, characters))))
            warnings.warn(
                f"no installed font draws {characters!r}; install the Noto font of that script "
                f"(fonts.google.com/noto; on Debian: {packages})",
                stacklevel=4,  # where the heat map was asked for
            )
            break
        families[family] = _characters(path)
        missing -= families[family]
    boxes = missing | frozenset(map(ord, _CONTROL.findall(text)))
    return families, dict.fromkeys(boxes, PLACEHOLDER)


def _package(character: str) -> str:
    """Returns the package of Debian with the Noto fonts for the script of a character."""
    is_east_asian = unicodedata.script(character) in EAST_ASIAN
    return "fonts-noto-cjk" if is_east_asian else "fonts-noto-core"


def preferred(families: Mapping[str, frozenset[int]], text: str) -> list[str]:
    """Returns the families, first the one that has most of a text.

    A joiner must be of the font of its letters: a PDF draws letters over each other otherwise.
    """
    characters = frozenset(map(ord, text))
    return sorted(families, key=lambda name: -len(families[name] & characters))


def _installed_fonts() -> list[tuple[str, str]]:
    """Returns family and file of the installed fonts that are upright and of medium weight."""
    from matplotlib.font_manager import findSystemFonts, fontManager

    installed = set(findSystemFonts())
    # Matplotlib caches its list of fonts; more may have been installed since.
    for path in installed - {entry.fname for entry in fontManager.ttflist}:
        with suppress(OSError, RuntimeError):  # a broken font, or a bitmap font
            fontManager.addfont(path)
    return sorted(
        (entry.name, entry.fname)
        for entry in fontManager.ttflist
        if entry.fname in installed and entry.style == "normal" and entry.weight in range(300, 501)
    )


@cache
def _characters(path: str) -> frozenset[int]:
    """Returns the code points that a font file has."""
    from matplotlib.ft2font import FT2Font

    return frozenset(FT2Font(path).get_charmap())
