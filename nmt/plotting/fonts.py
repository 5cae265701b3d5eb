"""Choice of installed fonts for a text, and a placeholder for characters that no font has.

Matplotlib shapes text from version 3.11 on: letters are joined, and words of right-to-left scripts
run from right to left.
"""

import warnings
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cache

import regex

PLACEHOLDER = "□"  # for a character that no font has
# Joiners, marks of direction, choices of variants: they change how others are drawn, and need no
# font. The fillers of Hangul, which are letters, do.
_HIDDEN = regex.compile(r"[\p{Default_Ignorable_Code_Point}--\p{Letter}]", regex.V1)


def fonts(texts: Iterable[str]) -> tuple[dict[str, frozenset[int]], dict[int, str]]:
    """Returns font families for the texts, and a translation of missing characters to boxes.

    The families are given with their characters.
    """
    from matplotlib.font_manager import findfont

    first = "DejaVu Sans"  # comes with matplotlib
    families = {first: _characters(findfont(first))}
    visible = _HIDDEN.sub("", "".join(texts))
    missing = frozenset(map(ord, visible)) - families[first]
    installed = _installed_fonts() if missing else []
    while missing:
        family, path = max(
            installed, key=lambda font: len(missing & _characters(font[1])), default=("", "")
        )
        if not path or not missing & _characters(path):
            characters = "".join(map(chr, sorted(missing)))
            warnings.warn(
                f"no installed font draws {characters!r}; install the Noto font of that script "
                "(fonts.google.com/noto; on Debian, fonts-noto-cjk for Chinese and Japanese)",
                stacklevel=4,  # where the heat map was asked for
            )
            break
        families[family] = _characters(path)
        missing -= families[family]
    return families, dict.fromkeys(missing, PLACEHOLDER)


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
