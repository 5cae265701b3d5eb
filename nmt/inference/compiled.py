"""What a translator computes: it searches for translations, and forces given ones.

`search` and `force` are functions for `devices.run`: of what all rows share, and of rows.
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from nmt.data.batching import Batch
from nmt.inference.beam import BeamSearch, Settings
from nmt.inference.hypotheses import Hypotheses
from nmt.inference.predictor import LoadedModel, Source
from nmt.inference.ranking import Ranking, coverage_penalty
from nmt.types import AttentionMatrix


class SearchInputs(NamedTuple):
    """What all rows of a search share."""

    loaded: LoadedModel
    settings: Settings
    seed: Any = None  # see `LoadedModel.predictor`, as for common
    common: Any = None


class Sentences(NamedTuple):
    """Rows to search for the translations of."""

    source: Source
    max_length: Any  # (row,), int32, of the translation


class ForcedInputs(NamedTuple):
    """What all rows of forced decoding share."""

    loaded: LoadedModel
    ranking: Ranking
    seed: Any = None  # see `LoadedModel.predictor`


def search(shared: SearchInputs, rows: Sentences, *, rules: BeamSearch, limit: int) -> Hypotheses:
    """Returns the translations of sentences, in arrays of length `limit`."""
    predictor = shared.loaded.predictor(seed=shared.seed, common=shared.common)
    encoded, state = predictor.start(rows.source)
    return rules(
        predictor.step,
        state,
        encoded,
        shared.settings,
        max_length=rows.max_length,
        limit=limit,
        source_mask=_real(rows.source.lengths, rows.source.tokens.shape[1]),
    )


def force(
    shared: ForcedInputs, rows: Batch, *, bos: int
) -> tuple[Float[Array, " batch"], Float[Array, " batch"], AttentionMatrix]:
    """Returns log-probability and score of each target, and the attention of each of its pieces."""
    source, lengths, target, target_lengths = map(jnp.asarray, rows[:4])
    predictor = shared.loaded.predictor(seed=shared.seed)
    found, attention = predictor.force(Source(source, lengths), target, bos=bos)
    real = _real(target_lengths, target.shape[1])
    log_probs = jnp.sum(found * real, axis=-1)
    summed = jnp.sum(attention * real[..., None], axis=1)
    covered = coverage_penalty(summed, _real(lengths, source.shape[1]))
    return log_probs, shared.ranking.score(log_probs, target_lengths, covered), attention


def _real(lengths: Any, width: int) -> Any:
    """Returns where a token stands in rows of a width, and not padding."""
    return jnp.arange(width)[None, :] < jnp.asarray(lengths)[:, None]
