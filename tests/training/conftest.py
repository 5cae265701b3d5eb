"""What modules of this folder share."""

import sys

import pytest


@pytest.fixture
def without_mecab(monkeypatch):
    """Importing MeCab, which the BLEU tokenizer ja-mecab needs, fails."""
    monkeypatch.delitem(sys.modules, "sacrebleu.tokenizers.tokenizer_ja_mecab", raising=False)
    monkeypatch.setitem(sys.modules, "MeCab", None)
    yield
    # What has been imported in the meantime is without MeCab, and monkeypatch would leave it.
    sys.modules.pop("sacrebleu.tokenizers.tokenizer_ja_mecab", None)
