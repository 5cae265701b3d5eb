"""The tokenizer with which BLEU splits the text of a language into words.

It is that of sacreBLEU's own command: `zh`, `ja-mecab` and `ko-mecab` for Chinese, Japanese and
Korean, else `13a`. For other scripts without spaces between words, `13a` would count whole phrases
as words, so `char` counts their characters instead. `flores200` would do as well, but downloads a
model when it is first used.
"""

from nmt.config import DataConfig
from nmt.evaluation.scripts import SOUTH_EAST_ASIAN, TIBETAN

# ISO 15924 codes.
_OF_SCRIPT = {
    **dict.fromkeys(("hani", "hans", "hant", "hanb"), "zh"),
    **dict.fromkeys(("jpan", "hira", "kana", "hrkt"), "ja-mecab"),
    **dict.fromkeys(("kore", "hang"), "ko-mecab"),
    **dict.fromkeys(map(str.lower, (*SOUTH_EAST_ASIAN, TIBETAN)), "char"),
}
# ISO 639 codes of two and of three letters, and the scripts that these languages are written in.
_SCRIPTS = {
    "hani": "zh zho chi cmn yue wuu nan hak gan hsn cdo lzh",
    "jpan": "ja jpn",
    "kore": "ko kor",
    "thai": "th tha",
    "laoo": "lo lao",
    "khmr": "km khm",
    "mymr": "my mya bur shn mnw",
    "tibt": "bo bod tib dz dzo",
    "lana": "nod",
}
_SCRIPT_OF = {code: script for script, codes in _SCRIPTS.items() for code in codes.split()}


def for_language(code: str) -> str:
    """Returns the tokenizer for a language code: `ja`, `jpn`, `zh-TW`, `zho_Hans`, `ko_KR`, ...

    A script in the code comes before the language: `ja-Latn` is split like English.
    """
    language, *subtags = code.lower().replace("_", "-").split("-")
    given = next((tag for tag in subtags if len(tag) == 4 and tag.isalpha()), None)
    return _OF_SCRIPT.get(given or _SCRIPT_OF.get(language, ""), "13a")


def for_target(data: DataConfig) -> str:
    """Returns the tokenizer for the target text of a run."""
    return data.bleu_tokenizer or for_language(data.target)
