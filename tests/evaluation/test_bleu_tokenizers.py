"""The tokenizer of a language, by sacreBLEU's own command where that knows the language."""

import subprocess
import sys
import urllib.request

import pytest

from nmt.config import BleuTokenizer, DataConfig
from nmt.errors import DataError
from nmt.evaluation.bleu_tokenizers import for_language, for_target
from nmt.evaluation.metrics import bleu, metric

LANGUAGES = ["zh", "ja", "ko", "de", "en", "ar", "hi", "vi", "no"]
TEXT = "這是一個句子。 日本語の文です。 한국어 문장입니다. A sentence."
# The command for each language, all in one process. It opens its streams anew, and a stream that
# nobody keeps would close those after it.
COMMANDS = """
import sys
from sacrebleu.sacrebleu import main
kept = []
for language in sys.argv[1:]:
    sys.argv = ["sacrebleu", "text", "-i", "text", "-l", f"fr-{language}", "-f", "text"]
    main()
    sys.stdout.flush()
    kept.append((sys.stdin, sys.stdout))
"""


@pytest.fixture(scope="module")
def printed(tmp_path_factory):
    """What sacreBLEU's own command prints for a text in each language."""
    folder = tmp_path_factory.mktemp("sacrebleu")
    (folder / "text").write_text(f"{TEXT}\n", encoding="utf-8")
    command = [sys.executable, "-c", COMMANDS, *LANGUAGES]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=True)
    return dict(zip(LANGUAGES, done.stdout.decode().splitlines(), strict=True))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_has_the_tokenizer_of_sacrebleus_command(printed, language):
    score = bleu([TEXT], [TEXT], tokenize=for_language(language))

    assert printed[language].startswith(f"BLEU|{score.signature} = 100.0")


@pytest.mark.parametrize(
    ("tokenizer", "codes"),
    [
        ("zh", "zh zh-CN zh_TW zh-Hans zh-Hant-HK zho zho_Hans chi cmn-Hans-CN yue_Hant lzh ZH"),
        ("ja-mecab", "ja ja_JP ja-JP jpn jpn_Jpan ja-Hira"),
        ("ko-mecab", "ko ko-KR kor kor_Hang ko-Kore"),
        (
            "char",
            "th th_TH tha_Thai lo lao_Laoo km khm_Khmr my mya_Mymr bur bo bod_Tibt dz dzo_Tibt",
        ),
        ("char", "shn_Mymr jv-Java ban-Bali nod pi-Thai"),
        ("13a", "de en-US deu_Latn ar heb_Hebr hin_Deva am_Ethi el srp_Cyrl jv vi zh-Latn ja-Latn"),
        ("13a", "target english tok.en x"),
    ],
)
def test_codes_of_any_standard_are_known(tokenizer, codes):
    assert {code: for_language(code) for code in codes.split()} == dict.fromkeys(
        codes.split(), tokenizer
    )


def test_the_setting_comes_before_the_language():
    data = {"train": {"path": "x"}, "validation": {"path": "x"}, "target": "zh"}

    assert for_target(DataConfig(**data)) == "zh"
    assert for_target(DataConfig(**data, bleu_tokenizer="none")) == "none"


def test_the_setting_takes_the_names_of_sacrebleu():
    from typing import get_args

    from sacrebleu.metrics.bleu import BLEU

    # `spm` is the old name of flores101, and sacreBLEU itself warns of it.
    assert set(get_args(BleuTokenizer)) == set(BLEU.TOKENIZERS) - {"spm"}


@pytest.mark.parametrize(
    ("language", "package"), [("ja", "MeCab"), ("ja", "ipadic"), ("ko", "mecab_ko")]
)
def test_a_missing_package_is_named_with_two_remedies(monkeypatch, language, package):
    monkeypatch.delitem(
        sys.modules, f"sacrebleu.tokenizers.tokenizer_{language}_mecab", raising=False
    )
    monkeypatch.setitem(sys.modules, package, None)  # importing it now fails

    with pytest.raises(DataError) as caught:
        metric("bleu", tokenize=for_language(language))

    broken = f"sacrebleu.tokenizers.tokenizer_{language}_mecab"
    del sys.modules[broken]  # monkeypatch would bring it back
    assert str(caught.value) == (
        f'BLEU tokenizer {language}-mecab needs pip install "sacrebleu[{language}]"; or choose '
        "another, such as char, with data.bleu_tokenizer=char in training, with --tokenize char in "
        "nmt evaluate"
    )


def test_a_model_that_cannot_be_downloaded_is_an_error(monkeypatch, tmp_path):
    from sacrebleu.tokenizers import tokenizer_spm

    monkeypatch.setattr(tokenizer_spm, "SACREBLEU_DIR", str(tmp_path))
    monkeypatch.setattr(urllib.request, "_opener", None)
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # where nothing answers

    with pytest.raises(
        DataError, match=r"^BLEU tokenizer flores200 needs a download, not made \(.*refused"
    ):
        metric("bleu", tokenize="flores200")
