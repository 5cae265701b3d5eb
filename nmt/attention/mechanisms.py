"""The mechanisms of attention by the names that a configuration has for them."""

from flax import nnx

from nmt.attention.baselines import NoAttention, UniformAttention
from nmt.attention.coverage import CoverageAttention
from nmt.attention.hard import HardAttention
from nmt.attention.interface import Attention
from nmt.attention.local import LocalMonotonicAttention, LocalPredictiveAttention
from nmt.attention.monotonic import MonotonicAttention
from nmt.attention.multihead import MultiHeadAttention
from nmt.attention.soft import GlobalAttention
from nmt.config import AttentionConfig


def build_attention(
    config: AttentionConfig, query_size: int, annotation_size: int, *, rngs: nnx.Rngs
) -> Attention:
    """Returns the mechanism that the configuration names."""
    match config.mechanism:
        case "global" if config.coverage == "none":
            return GlobalAttention(config, query_size, annotation_size, rngs=rngs)
        case "global":
            return CoverageAttention(config, query_size, annotation_size, rngs=rngs)
        case "local_m":
            return LocalMonotonicAttention(config, query_size, annotation_size, rngs=rngs)
        case "local_p":
            return LocalPredictiveAttention(config, query_size, annotation_size, rngs=rngs)
        case "hard":
            return HardAttention(config, query_size, annotation_size, rngs=rngs)
        case "monotonic":
            return MonotonicAttention(config, query_size, annotation_size, rngs=rngs)
        case "multi_head":
            return MultiHeadAttention(config, query_size, annotation_size, rngs=rngs)
        case "uniform":
            return UniformAttention()
        case "none":
            return NoAttention()
