"""Soft attention: the context is the weighted mean of the annotations."""

from flax import nnx

from nmt.attention.interface import AttentionOutput, EncodedSource, Stateless, weighted_sum
from nmt.attention.normalizers import build_normalizer
from nmt.attention.scores import ScoreFunction, build_score
from nmt.config import NormalizedConfig
from nmt.types import Annotations, Context, Keys, Query


class ScoredAttention(nnx.Module):
    """The base of mechanisms with a score function and a normalizer."""

    def __init__(
        self, config: NormalizedConfig, query_size: int, annotation_size: int, *, rngs: nnx.Rngs
    ) -> None:
        self.score: ScoreFunction = build_score(config, query_size, annotation_size, rngs=rngs)
        self.normalize = build_normalizer(config)

    def keys(self, annotations: Annotations) -> Keys:
        """Returns the keys of the score function."""
        return self.score.keys(annotations)


class GlobalAttention(Stateless, ScoredAttention):
    """Soft attention over all source positions (Bahdanau et al. 2015; Luong et al. 2015, 3.1).

    weights_j = exp(score(s, h_j)) / sum_k exp(score(s, h_k)),  context = sum_j weights_j h_j

    Another normalizer may replace the softmax.
    """

    def __call__(
        self, query: Query, encoded: EncodedSource, state: tuple[()]
    ) -> tuple[Context, AttentionOutput, tuple[()]]:
        """Returns the context and the weights."""
        weights = self.normalize(self.score(query, encoded.keys), encoded.mask)
        return weighted_sum(weights, encoded.annotations), AttentionOutput(weights), state
