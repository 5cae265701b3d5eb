"""Training of SentencePiece models, or what a configuration names instead."""

import io
import itertools
import re
import sys
import unicodedata
import warnings
from collections.abc import Iterable, Sequence
from functools import cache
from random import Random
from typing import Any

import sentencepiece

from nmt.config import (
    JointModelConfig,
    SeparateModelsConfig,
    TokenizerConfig,
    TrainedTokenizerConfig,
)
from nmt.data.files import one_line
from nmt.data.tokenizer import Tokenizer
from nmt.data.tokenizers import Tokenizers
from nmt.errors import DataError

# SentencePiece ignores longer lines (its default is 4192 bytes); no sentence is as long.
LONGEST_LINE = 1 << 24
# Sentences to train from: enough for the vocabulary of any corpus, with bounded memory and time.
LARGEST_SAMPLE = 2_000_000
# SentencePiece's mark of an unknown character; it skips all sentences that have it.
UNKNOWN = "\u2585"


class TooFewPiecesError(DataError):
    """The text does not give as many pieces as are asked for.

    Attributes:
        most: How many it gives.
    """

    def __init__(self, message: str, *, most: int) -> None:
        super().__init__(message)
        self.most = most


def train(
    source: Iterable[str],
    target: Iterable[str],
    config: TokenizerConfig,
    *,
    symbols: Sequence[str] = (),
) -> Tokenizers:
    """Trains models on the two sides of a corpus, or loads the models that the config names.

    Each of the `symbols` becomes a piece of the trained models, which is never divided.

    Training is deterministic: the same text and config give the same models, byte for byte.

    Raises:
        DataError: the text does not suffice for the vocabulary size, or a model cannot be loaded.
    """
    match config:
        case JointModelConfig():
            return Tokenizers.same(Tokenizer.load(config.model))
        case SeparateModelsConfig():
            loaded = Tokenizer.load(config.source_model), Tokenizer.load(config.target_model)
            return Tokenizers(*loaded)
        case TrainedTokenizerConfig(joint=True):
            both = _trained(itertools.chain(source, target), config, symbols, side="training")
            return Tokenizers.same(both)
        case TrainedTokenizerConfig():
            sides = {"source": source, "target": target}
            models = (_trained(text, config, symbols, side=side) for side, text in sides.items())
            return Tokenizers(next(models), next(models))


def _trained(
    text: Iterable[str], config: TrainedTokenizerConfig, symbols: Sequence[str], *, side: str
) -> Tokenizer:
    size = config.vocabulary_size
    if isinstance(size, tuple):
        size = size[side == "target"]
    lines = map(one_line, text)
    return Tokenizer(trained_model(lines, config, symbols=symbols, size=size, side=side))


def sample(sentences: Iterable[str], size: int) -> list[str]:
    """Returns a uniform random sample of at most `size` sentences (Vitter 1985, algorithm R).

    SentencePiece can sample sentences too, but its generator takes no seed.
    """
    random = Random(0)
    sampled: list[str] = []
    for number, sentence in enumerate(sentences):
        if number < size:
            sampled.append(sentence)
        elif (place := random.randrange(number + 1)) < size:
            sampled[place] = sentence
    return sampled


def trained_model(
    sentences: Iterable[str],
    config: TrainedTokenizerConfig,
    *,
    symbols: Sequence[str],
    size: int,
    side: str,
) -> bytes:
    """Returns a SentencePiece model of so many pieces; `side` names the text in messages.

    The `symbols` are pieces besides those of the configuration.

    Raises:
        TooFewPiecesError: the text does not suffice for the size.
        DataError: the size does not suffice for the characters of the text, or there is no text.
    """
    text = [line.replace(UNKNOWN, " ") for line in sample(sentences, LARGEST_SAMPLE)]
    for symbol in config.symbols:
        if not any(symbol in line for line in text):
            warnings.warn(
                f"tokenizer.symbols: the {side} text has no {symbol!r}, so that the model cannot "
                "learn what it means",
                stacklevel=2,
            )
    model = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(text),
            model_writer=model,
            model_type=config.kind,
            vocab_size=size,
            character_coverage=config.character_coverage,
            byte_fallback=config.byte_fallback,
            user_defined_symbols=list(dict.fromkeys([*config.symbols, *symbols])),
            pad_id=0,
            unk_id=1,
            bos_id=2,
            eos_id=3,
            max_sentence_length=LONGEST_LINE,
            num_threads=2,  # changes the result: the sums of the threads are added in their order
            minloglevel=3,
            **_normalization(config.normalization),
        )
    except RuntimeError as error:
        raise _training_error(str(error), config, size=size, side=side) from None
    return model.getvalue()


def _normalization(name: str) -> dict[str, Any]:
    """Returns the option of SentencePiece's trainer for a normalization; it lacks NFC."""
    if name != "nfc":
        return {"normalization_rule_name": name}
    sentencepiece.SetMinLogLevel(3)
    rules = list(compositions().items())
    return {"normalizer": sentencepiece.SentencePieceNormalizer(norm_map=rules)}


@cache
def compositions() -> dict[str, str]:
    """Returns what NFC changes: spellings of each character, and what they become.

    A spelling may be composed in part, and its marks may stand in any order. Like SentencePiece's
    own rules, these are those of single characters: marks that belong to none are not reordered.
    """
    rules = {}
    for character in map(chr, range(sys.maxunicode + 1)):
        composed = unicodedata.normalize("NFC", character)
        base, *marks = list(unicodedata.normalize("NFD", character))
        spellings = [character]
        for order in itertools.permutations(marks):
            for number in range(len(marks) + 1):
                start = unicodedata.normalize("NFC", "".join((base, *order[:number])))
                spellings.append("".join((start, *order[number:])))
        for spelling in spellings:
            if spelling != composed == unicodedata.normalize("NFC", spelling):
                rules[spelling] = composed
    return rules


def _training_error(
    message: str, config: TrainedTokenizerConfig, *, size: int, side: str
) -> Exception:
    """Returns the exception for an error message of SentencePiece's trainer."""
    key = f"tokenizer.vocabulary_size is {size}"
    if most := re.search(r"Vocabulary size too high .* a value <= (\d+)", message):
        return TooFewPiecesError(
            f"{key}: the {side} text gives {most[1]} pieces at most; set it to that, or less",
            most=int(most[1]),
        )
    if least := re.search(r"smaller than required_chars\. \d+ vs (\d+)", message):
        bytes_too, remedy = "", ""
        if config.byte_fallback:
            bytes_too = " and the 256 bytes of tokenizer.byte_fallback"
            remedy = " set tokenizer.byte_fallback=false,"
        return DataError(
            f"{key}: the characters of the {side} text{bytes_too} alone need {least[1]}; set it to "
            f"that or more,{remedy} or lower tokenizer.character_coverage"
        )
    if "sentences_.empty()" in message or "all_chars_count" in message:
        return DataError(f"the {side} text is empty: there is nothing to train a tokenizer from")
    return RuntimeError(message)
