"""Choice of installed fonts for a text, and a placeholder for characters that no font has."""

import warnings
from collections.abc import Iterable
from contextlib import suppress
from functools import cache

PLACEHOLDER = "□"  # for a character that no font has


def fonts(texts: Iterable[str]) -> tuple[list[str], dict[int, str]]:
    """Returns font families for the texts, and a translation of missing characters to boxes."""
    from matplotlib.font_manager import findfont

    families = ["DejaVu Sans"]  # comes with matplotlib
    missing = frozenset(map(ord, "".join(texts))) - _characters(findfont(families[0]))
    installed = _installed_fonts() if missing else []
    while missing:
        family, drawn = max(
            ((name, missing & _characters(path)) for name, path in installed),
            key=lambda font: len(font[1]),
            default=("", frozenset()),
        )
        if not drawn:
            characters = "".join(map(chr, sorted(missing)))
            warnings.warn(
                f"no installed font draws {characters!r}; install the Noto font of that script "
                "(fonts.google.com/noto; on Debian, fonts-noto-cjk for Chinese and Japanese)",
                stacklevel=4,  # where the heat map was asked for
            )
            break
        families.append(family)
        missing -= drawn
    return families, dict.fromkeys(missing, PLACEHOLDER)


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
