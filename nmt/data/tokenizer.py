"""SentencePiece tokenizers: text to subword ids and back, training and loading of models."""

import hashlib
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import numpy as np
import sentencepiece

from nmt.config import (
    JointModelConfig,
    SamplingConfig,
    SeparateModelsConfig,
    TokenizerConfig,
    TrainedTokenizerConfig,
)
from nmt.errors import DataError

if TYPE_CHECKING:
    from nmt.data.sampler import Sampler

# SentencePiece ignores longer lines (its default is 4192 bytes); no sentence is as long.
LONGEST_LINE = 1 << 24
# Sentences to train from: enough for the vocabulary of any corpus, with bounded memory and time.
LARGEST_SAMPLE = 2_000_000
# Bytes of a model file; 250,000 pieces take 4 MB. SentencePiece would read a file of any size.
LARGEST_MODEL = 1 << 26


class Tokenizer:
    """A SentencePiece model; `pad`, `unk`, `bos` and `eos` are ids, `size` is the number of ids.

    Raises:
        DataError: the bytes are no SentencePiece model, or a special piece is missing.
    """

    def __init__(self, model: bytes, *, name: str = "the tokenizer model") -> None:
        self._model = model
        self._processor = sentencepiece.SentencePieceProcessor()
        try:
            self._processor.load_from_serialized_proto(model)
            self.size: int = self._processor.get_piece_size()
            self.pieces(range(self.size))
        except (RuntimeError, UnicodeDecodeError):
            raise DataError(
                f"{name}: not a SentencePiece model; is the file whole, and not a .vocab?"
            ) from None
        self.pad: int = self._processor.pad_id()
        self.unk: int = self._processor.unk_id()
        self.bos: int = self._processor.bos_id()
        self.eos: int = self._processor.eos_id()
        for piece in ("pad", "bos", "eos"):
            if getattr(self, piece) < 0:
                raise DataError(
                    f"{name}: the model has no {piece} piece; train it with "
                    "--pad_id=0 --unk_id=1 --bos_id=2 --eos_id=3"
                )

    @classmethod
    def load(cls, path: str | Path) -> "Tokenizer":
        """Reads a `.model` file."""
        try:
            size = Path(path).stat().st_size
            if size > LARGEST_MODEL:
                raise DataError(
                    f"{path}: {size:,} bytes are too many for a tokenizer model (at most "
                    f"{LARGEST_MODEL:,}); name the .model file that SentencePiece has written"
                )
            model = Path(path).read_bytes()
        except FileNotFoundError:
            raise DataError(f"{path}: no such tokenizer model") from None
        except OSError as error:
            raise DataError(f"{path}: cannot be read ({error.strerror})") from None
        return cls(model, name=str(path))

    def save(self, path: str | Path) -> None:
        """Writes the model to a `.model` file."""
        Path(path).write_bytes(self._model)

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the model in hexadecimal."""
        return hashlib.sha256(self._model).hexdigest()

    def encode(self, text: str) -> list[int]:
        """Returns the ids of the likeliest segmentation, without `bos` and `eos`."""
        return self._processor.encode(text)

    def encode_batch(self, texts: Sequence[str]) -> list[list[int]]:
        """Returns the ids of each text, as `encode` does."""
        return self._processor.encode(list(texts))

    def sample_batch(
        self, texts: Sequence[str], *, sampling: SamplingConfig, seed: int
    ) -> list[list[int]]:
        """Returns the ids of a sampled segmentation of each text (Kudo 2018; BPE-dropout).

        The same texts, settings and seed give the same ids in every process.

        Raises:
            DataError: the model is neither unigram nor BPE.
        """
        return self._sampler.sample(texts, sampling, rng=np.random.default_rng(seed))

    @cached_property
    def _sampler(self) -> "Sampler":
        from nmt.data.sampler import Sampler  # it imports protobuf, which translation does not need

        return Sampler(self._processor, self._model)

    def decode(self, ids: Sequence[int]) -> str:
        """Returns the text of ids; `pad`, `bos` and `eos` are skipped, `unk` is ' ⁇ '."""
        return self._processor.decode([int(i) for i in ids])

    def pieces(self, ids: Sequence[int]) -> list[str]:
        """Returns the piece of each id, as in the vocabulary: '▁' stands for a space."""
        return [self._processor.id_to_piece(int(i)) for i in ids]

    def ids(self, pieces: Sequence[str]) -> list[int]:
        """Returns the id of each piece, as in the vocabulary: the inverse of `pieces`."""
        return [self._processor.piece_to_id(piece) for piece in pieces]

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """Returns the span in the text of each piece of `encode(text)`.

        A span is the first character and the one after the last. If several pieces come from one
        character, all but the last have an empty span before it.
        """
        return self._processor.encode(text, return_type="offset_mapping")["offsets"]

    def decoded_offsets(self, ids: Sequence[int]) -> list[tuple[int, int]]:
        """Returns the span in `decode(ids)` of each piece, as `offsets` does."""
        plain = [int(i) for i in ids]
        return self._processor.decode(plain, return_type="offset_mapping")["offsets"]


@dataclass(frozen=True)
class Tokenizers:
    """The tokenizers of source and target: two models, or the same one twice (`joint`)."""

    source: Tokenizer
    target: Tokenizer

    @property
    def joint(self) -> bool:
        """Whether an id means the same piece on both sides."""
        return self.source.fingerprint == self.target.fingerprint

    @property
    def fingerprint(self) -> str:
        """A SHA-256 of both models in hexadecimal."""
        both = self.source.fingerprint + self.target.fingerprint
        return hashlib.sha256(both.encode()).hexdigest()

    def save(self, folder: str | Path) -> None:
        """Writes `joint.model`, or `source.model` and `target.model`, into the folder."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        if self.joint:
            self.source.save(folder / "joint.model")
        else:
            self.source.save(folder / "source.model")
            self.target.save(folder / "target.model")

    @classmethod
    def load(cls, folder: str | Path) -> "Tokenizers":
        """Reads the models that `save` has written into a folder.

        Raises:
            DataError: a model is missing or damaged.
        """
        folder = Path(folder)
        if (folder / "joint.model").exists():
            return cls.same(Tokenizer.load(folder / "joint.model"))
        if not (folder / "source.model").exists():
            raise DataError(f"{folder}: holds neither joint.model nor source.model")
        return cls(Tokenizer.load(folder / "source.model"), Tokenizer.load(folder / "target.model"))

    @classmethod
    def same(cls, tokenizer: Tokenizer) -> "Tokenizers":
        """Returns tokenizers that share one model."""
        return cls(tokenizer, tokenizer)


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
            return Tokenizers.same(_train(chain(source, target), config, symbols, side="training"))
        case TrainedTokenizerConfig():
            sides = {"source": source, "target": target}
            return Tokenizers(
                *(_train(text, config, symbols, side=side) for side, text in sides.items())
            )


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


def _train(
    sentences: Iterable[str], config: TrainedTokenizerConfig, symbols: Sequence[str], *, side: str
) -> Tokenizer:
    model = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(sample(sentences, LARGEST_SAMPLE)),
            model_writer=model,
            model_type=config.kind,
            vocab_size=config.vocabulary_size,
            character_coverage=config.character_coverage,
            byte_fallback=config.byte_fallback,
            user_defined_symbols=list(symbols),
            pad_id=0,
            unk_id=1,
            bos_id=2,
            eos_id=3,
            max_sentence_length=LONGEST_LINE,
            num_threads=2,  # changes the result: the sums of the threads are added in their order
            minloglevel=3,
        )
    except RuntimeError as error:
        raise _training_error(str(error), config, side=side) from None
    return Tokenizer(model.getvalue())


def _training_error(message: str, config: TrainedTokenizerConfig, *, side: str) -> Exception:
    """Returns the exception for an error message of SentencePiece's trainer."""
    key = f"tokenizer.vocabulary_size is {config.vocabulary_size}"
    if most := re.search(r"Vocabulary size too high .* a value <= (\d+)", message):
        return DataError(
            f"{key}: the {side} text gives {most[1]} pieces at most; set it to that, or less"
        )
    if least := re.search(r"smaller than required_chars\. \d+ vs (\d+)", message):
        return DataError(
            f"{key}: the characters of the {side} text alone need {least[1]}; set it to that "
            "or more, or lower tokenizer.character_coverage"
        )
    if "sentences_.empty()" in message or "all_chars_count" in message:
        return DataError(f"the {side} text is empty: there is nothing to train a tokenizer from")
    return RuntimeError(message)
