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
from nmt.config import (
    AttentionConfig,
    GlobalConfig,
    HardConfig,
    LocalMConfig,
    LocalPConfig,
    MonotonicConfig,
    MultiHeadConfig,
    NoAttentionConfig,
    UniformConfig,
)


def build_attention(
    config: AttentionConfig, query_size: int, annotation_size: int, *, rngs: nnx.Rngs
) -> Attention:
    """Returns the mechanism that the configuration names."""
    match config:
        case GlobalConfig(coverage=None):
            return GlobalAttention(config, query_size, annotation_size, rngs=rngs)
        case GlobalConfig():
            return CoverageAttention(config, query_size, annotation_size, rngs=rngs)
        case LocalMConfig():
            return LocalMonotonicAttention(config, query_size, annotation_size, rngs=rngs)
        case LocalPConfig():
            return LocalPredictiveAttention(config, query_size, annotation_size, rngs=rngs)
        case HardConfig():
            return HardAttention(config, query_size, annotation_size, rngs=rngs)
        case MonotonicConfig():
            return MonotonicAttention(config, query_size, annotation_size, rngs=rngs)
        case MultiHeadConfig():
            return MultiHeadAttention(config, query_size, annotation_size, rngs=rngs)
        case UniformConfig():
            return UniformAttention()
        case NoAttentionConfig():
            return NoAttention()
