"""Subword regularization with a SentencePiece model, reproducible from a seed.

SentencePiece's own sampling is not reproducible: its seed depends on the process.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError
from sentencepiece import SentencePieceProcessor
from sentencepiece.sentencepiece_model_pb2 import ModelProto, TrainerSpec

from nmt.config import SamplingConfig
from nmt.data.segmentation import Bpe, Unigram
from nmt.errors import DataError

Piece = ModelProto.SentencePiece
TEXT_TYPES = (Piece.NORMAL, Piece.USER_DEFINED)  # pieces that stand for text

UNKNOWN_PENALTY = 10.0  # as in SentencePiece: an unknown character scores this less than any piece


class Sampler:
    """Samples segmentations of texts, as ids.

    Raises:
        DataError: the model is neither unigram nor BPE, or damaged.
    """

    def __init__(self, processor: SentencePieceProcessor, model: bytes) -> None:
        try:
            parsed = ModelProto.FromString(model)
        except DecodeError:  # SentencePiece is less strict, and has read the model before
            raise DataError(
                "the tokenizer model is damaged: put the original .model file back"
            ) from None
        self._processor = processor
        self._segmentation = _segmentation(parsed)
        self._ids = {
            each.piece: i for i, each in enumerate(parsed.pieces) if each.type in TEXT_TYPES
        }
        self._scores = [each.score for each in parsed.pieces]
        self._whole = {i for i, each in enumerate(parsed.pieces) if each.type == Piece.USER_DEFINED}
        self._bytes: list[int] = []
        if parsed.trainer_spec.byte_fallback:
            self._bytes = [processor.piece_to_id(f"<0x{byte:02X}>") for byte in range(256)]

    def sample(
        self, texts: Sequence[str], sampling: SamplingConfig, *, rng: np.random.Generator
    ) -> list[list[int]]:
        """Returns the ids of one segmentation of each text."""
        if sampling.nbest_size > 1 and isinstance(self._segmentation, Unigram):
            return [self._sample_from_best(text, sampling, rng) for text in texts]
        normalized = self._processor.normalize(list(texts))
        sampled = self._segmentation.sample(normalized, alpha=sampling.alpha, rng=rng)
        return [self._known(pieces) for pieces in sampled]

    def _sample_from_best(
        self, text: str, sampling: SamplingConfig, rng: np.random.Generator
    ) -> list[int]:
        """Samples one of the n best segmentations by its smoothed likelihood (Kudo 2018).

        Unknown characters are the same in all segmentations, so their score does not matter. The
        likeliest one splits no piece that is whole, but those after it may.
        """
        found = self._processor.nbest_encode_as_ids(text, nbest_size=sampling.nbest_size)
        wholes = self._wholes(found[0])
        best = [ids for ids in found if self._wholes(ids) == wholes]
        sums = np.array([sum(map(self._scores.__getitem__, ids)) for ids in best])
        chances = np.exp(sampling.alpha * (sums - sums.max()))
        return best[rng.choice(len(best), p=chances / chances.sum())]

    def _wholes(self, ids: Sequence[int]) -> list[int]:
        return [i for i in ids if i in self._whole]

    def _known(self, pieces: Sequence[str]) -> list[int]:
        """Returns the ids of pieces; as in SentencePiece, others become bytes or one `unk`."""
        found: list[int] = []
        for piece in pieces:
            if piece in self._ids:
                found.append(self._ids[piece])
            elif self._bytes:
                found.extend(self._bytes[byte] for byte in piece.encode("utf-8"))
            elif found[-1:] != [self._processor.unk_id()]:
                found.append(self._processor.unk_id())
        return found


def _segmentation(model: Any) -> Unigram | Bpe:
    scores = {each.piece: each.score for each in model.pieces if each.type == Piece.NORMAL}
    whole = [each.piece for each in model.pieces if each.type == Piece.USER_DEFINED]
    match model.trainer_spec.model_type:
        case TrainerSpec.UNIGRAM if scores:
            unknown = min(scores.values()) - UNKNOWN_PENALTY
            # As in SentencePiece, user-defined pieces score more than any other way to spell them.
            most = max(scores.values())
            scores |= {piece: len(piece) * most - 0.1 for piece in whole}
            return Unigram(scores, unknown=unknown, whole=whole)
        case TrainerSpec.BPE:
            return Bpe(scores, whole=whole)
        case kind:
            raise DataError(
                f"this tokenizer model of kind {TrainerSpec.ModelType.Name(kind).lower()} has one "
                "segmentation of each text: leave out `tokenizer.sampling`"
            )
