"""A SentencePiece model: text to subword ids, and back."""

import hashlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import sentencepiece

from nmt.config import SamplingConfig
from nmt.data.files import one_line
from nmt.errors import DataError
from nmt.evaluation.words import END

if TYPE_CHECKING:
    from nmt.data.sampler import Sampler

# Bytes of a model file; 250,000 pieces take 4 MB. SentencePiece would read a file of any size.
LARGEST_MODEL = 1 << 26
Spans = list[tuple[int, int]]


class Tokenizer:
    """A SentencePiece model; `pad`, `unk`, `bos` and `eos` are ids, `size` is the number of ids.

    The model may be of any origin: a special piece that it lacks gets an id after its own ones.

    Raises:
        DataError: the bytes are no SentencePiece model.
    """

    def __init__(self, model: bytes, *, name: str = "the tokenizer model") -> None:
        self._model = model
        self._processor = sentencepiece.SentencePieceProcessor()
        try:
            self._processor.load_from_serialized_proto(model)
            self.size: int = self._processor.get_piece_size()
            self._processor.id_to_piece(list(range(self.size)))
        except (RuntimeError, UnicodeDecodeError):
            raise DataError(
                f"{name}: not a SentencePiece model; is the file whole, and not a .vocab?"
            ) from None
        self.unk: int = self._processor.unk_id()
        self._names: dict[int, str] = {}  # of special pieces, where the model has another or none
        self.pad = self._special(self._processor.pad_id(), "<pad>")
        self.bos = self._special(self._processor.bos_id(), "<s>")
        self.eos = self._special(self._processor.eos_id(), END)
        self._names[self.eos] = END  # by which others know it
        self._silent = {self.pad, self.bos, self.eos}

    def _special(self, own: int, piece: str) -> int:
        """Returns the id of a special piece, a new one if the model has none, not even by name."""
        if own < 0 and (own := self._processor.piece_to_id(piece)) == self.unk:
            own, self.size = self.size, self.size + 1
            self._names[own] = piece
        return own

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
    def model(self) -> bytes:
        """The content of a `.model` file."""
        return self._model

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the model in hexadecimal."""
        return hashlib.sha256(self._model).hexdigest()

    def encode(self, text: str) -> list[int]:
        """Returns the ids of the likeliest segmentation, without `bos` and `eos`."""
        return self._processor.encode(one_line(text))

    def encode_batch(self, texts: Sequence[str]) -> list[list[int]]:
        """Returns the ids of each text, as `encode` does."""
        if len(texts) == 1:  # SentencePiece starts threads for a batch, which takes milliseconds
            return [self.encode(texts[0])]
        return self._processor.encode(list(map(one_line, texts)))

    def sample_batch(
        self, texts: Sequence[str], *, sampling: SamplingConfig, seed: int
    ) -> list[list[int]]:
        """Returns the ids of a sampled segmentation of each text (Kudo 2018; BPE-dropout).

        The same texts, settings and seed give the same ids in every process.

        Raises:
            DataError: the model is neither unigram nor BPE.
        """
        lines = list(map(one_line, texts))
        return self._sampler.sample(lines, sampling, rng=np.random.default_rng(seed))

    @cached_property
    def _sampler(self) -> "Sampler":
        from nmt.data.sampler import Sampler  # it imports protobuf, which translation does not need

        return Sampler(self._processor, self._model)

    @cached_property
    def unspelled(self) -> frozenset[int]:
        """The ids that stand for characters that no piece spells: `unk`, and bytes."""
        own = list(range(self._processor.get_piece_size()))
        of_bytes = [i for i, byte in zip(own, self._processor.is_byte(own), strict=True) if byte]
        return frozenset([self.unk, *of_bytes])

    @cached_property
    def alphabet(self) -> frozenset[str]:
        """The characters that pieces have. Symbols, whose score is 0, spell no other text."""
        own = list(range(self._processor.get_piece_size()))
        scored = [i for i, score in zip(own, self._processor.get_score(own), strict=True) if score]
        spelling = set(scored) - self.unspelled - self._silent
        return frozenset("".join(self._processor.id_to_piece(sorted(spelling))))

    def decode(self, ids: Sequence[int]) -> str:
        """Returns the text of ids, one line: `pad`, `bos` and `eos` are skipped, `unk` is ' ⁇ '.

        No spaces are at its end, as none are at its beginning: some models write them behind words.
        """
        return one_line(self._processor.decode(self._heard(ids))).rstrip(" ")

    def pieces(self, ids: Sequence[int]) -> list[str]:
        """Returns the piece of each id, as in the vocabulary: '▁' stands for a space."""
        names = self._names
        return [names[i] if i in names else self._processor.id_to_piece(int(i)) for i in ids]

    def ids(self, pieces: Sequence[str]) -> list[int]:
        """Returns the id of each piece, as in the vocabulary: the inverse of `pieces`.

        Raises:
            DataError: there is no such piece.
        """
        named = {piece: i for i, piece in self._names.items()}
        found = [named.get(piece, self._processor.piece_to_id(piece)) for piece in pieces]
        for piece, again in zip(pieces, self.pieces(found), strict=True):
            if piece != again:
                raise DataError(f"{piece!r} is no piece of this model, but of another one")
        return found

    def offsets(self, text: str) -> Spans:
        """Returns the span in the text of each piece of `encode(text)`.

        A span is the first character and the one after the last. If several pieces come from one
        character, all but the last have an empty span before it.
        """
        return self._processor.encode(one_line(text), return_type="offset_mapping")["offsets"]

    def decoded_offsets(self, ids: Sequence[int]) -> Spans:
        """Returns the span in `decode(ids)` of each piece, as `offsets` does."""
        decoded = self._processor.decode(self._heard(ids), return_type="offset_mapping")
        length = len(one_line(decoded["text"]).rstrip(" "))
        spans, end, found = iter(decoded["offsets"]), 0, []
        for i in ids:
            begin, end = (end, end) if i in self._silent else next(spans)
            found.append((min(begin, length), min(end, length)))
        return found

    def _heard(self, ids: Sequence[int]) -> list[int]:
        return [int(i) for i in ids if i not in self._silent]
