"""The compiled functions of a translator: the search, and forced decoding of given targets.

`search` and `force` are functions for `programs.run`: of inputs that all rows share, and of rows.
"""

from dataclasses import replace
from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from nmt.attention.interface import shown, weights_of
from nmt.data.batching import Batch
from nmt.inference.allocation import AllocatedBeam, RequiredPhrases
from nmt.inference.ensemble import has_guided_head
from nmt.inference.hypotheses import Hypotheses
from nmt.inference.predictor import Loaded, Source
from nmt.inference.prefix import Prefix, begin
from nmt.inference.processors import Processor
from nmt.inference.ranking import Ranking, coverage_penalty
from nmt.inference.search import Search, Settings
from nmt.model.vocabulary import listed_tokens, real_tokens, tokens_of
from nmt.types import AttentionMatrix


class SearchInputs(NamedTuple):
    """The inputs that all rows of a search share."""

    loaded: Loaded
    settings: Settings
    seed: Any = None  # these two as in `Loaded.predictor`
    common: Any = None


class Sentences(NamedTuple):
    """The rows of a search: sentences to translate."""

    source: Source
    max_length: Any  # (row,), int32, of the translation
    processors: tuple[Processor, ...] = ()
    required: RequiredPhrases | None = None
    prefix: Prefix | None = None


class ForcedInputs(NamedTuple):
    """The inputs that all rows of forced decoding share."""

    loaded: Loaded
    ranking: Ranking
    seed: Any = None  # as in `Loaded.predictor`


# Log-probability of each piece of a target, zero on padding; score of the target; attention.
ForcedOutputs = tuple[Float[Array, "batch tgt"], Float[Array, " batch"], AttentionMatrix]


def of_pieces(steps: Float[Array, "*batch tgt src"]) -> Float[Array, "*batch tgt src"]:
    """Returns the row of the step that has read each piece, given that of the step before it.

    No step has read the last piece, of which all weights are zero: as a rule it is the end of
    sentence, else the last piece of a translation that was cut at the longest length allowed.
    """
    ends = [(0, 0)] * (steps.ndim - 2)
    return jnp.pad(steps[..., 1:, :], [*ends, (0, 1), (0, 0)])


def search(shared: SearchInputs, rows: Sentences, *, rules: Search, limit: int) -> Hypotheses:
    """Returns the translations of sentences, in arrays of length `limit`.

    The attention is that of a guided head, if there is one.
    """
    predictor = shared.loaded.predictor(seed=shared.seed, common=shared.common)
    encoded, state = predictor.start(rows.source)
    settings, prefix = shared.settings, None
    if rows.required is not None:
        beam: Any = settings.strategy
        allocated: Any = AllocatedBeam(beam, rows.required, rows.prefix, bos=rules.bos)
        settings = replace(settings, strategy=allocated)
    if rows.prefix is not None:
        started = predictor, encoded, state, rows.processors
        state, prefix = begin(*started, rows.prefix, bos=rules.bos, limit=limit)
    hypotheses = rules(
        predictor.step,
        state,
        encoded,
        settings,
        processors=rows.processors,
        prefix=prefix,
        max_length=rows.max_length,
        limit=limit,
        source_mask=real_tokens(jnp.asarray(rows.source.lengths), rows.source.tokens.shape[1]),
        keys=rows.source.keys(settings.strategy.seed),
    )
    if has_guided_head(shared.loaded):
        hypotheses = replace(hypotheses, attention=of_pieces(jnp.asarray(hypotheses.attention)))
    if shared.common is None:
        return hypotheses
    listed = listed_tokens(jnp.asarray(shared.common), jnp.asarray(rows.source.own))
    return replace(hypotheses, tokens=tokens_of(listed, jnp.asarray(hypotheses.tokens)))


def force(shared: ForcedInputs, rows: Batch, *, bos: int, guided: bool = False) -> ForcedOutputs:
    """Returns log-probabilities, score and attention of given targets, or that of a guided head."""
    source, lengths, target, target_lengths = map(jnp.asarray, rows[:4])
    predictor = shared.loaded.predictor(seed=shared.seed)
    token_log_probs, attended = predictor.force(Source(source, lengths), target, bos=bos)
    real = real_tokens(target_lengths, target.shape[1])
    log_probs = jnp.where(real, token_log_probs, 0.0)
    attention = weights_of(attended)
    summed = jnp.sum(attention * real[..., None], axis=1)
    covered = coverage_penalty(summed, real_tokens(lengths, source.shape[1]))
    totals = jnp.sum(log_probs, axis=-1)
    if guided:  # rows of padding behind a target would be those of its last piece
        read = real_tokens(target_lengths - 1, target.shape[1])
        attention = of_pieces(shown(attended)) * read[..., None]
    return log_probs, shared.ranking.score(totals, target_lengths, covered), attention
