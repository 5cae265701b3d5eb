"""From a configuration and its tokenizers to a model."""

from flax import nnx

from nmt.config import Config
from nmt.data.tokenizers import Tokenizers
from nmt.model.aligner import AlignerNetwork
from nmt.model.seq2seq import Seq2Seq, build
from nmt.types import Graph, Params

Network = Seq2Seq | AlignerNetwork


def build_model(config: Config, tokenizers: Tokenizers) -> Network:
    """Returns the model of a configuration with fresh parameters.

    It is as wide as the vocabularies; a source that is not text has a shape instead.
    """
    source_size, target_size = tokenizers.source.size, tokenizers.target.size
    if config.aligner is not None:
        rngs, sizes = nnx.Rngs(params=config.seed), (source_size, target_size)
        return AlignerNetwork(config.aligner, *sizes, rngs=rngs)
    source = config.data.input.shape or source_size
    return build(config.model, source=source, target_size=target_size, seed=config.seed)


def outline(config: Config, tokenizers: Tokenizers) -> tuple[Graph, Params]:
    """Returns the graph of a model, and its parameters as shapes and types without values.

    A checkpoint is read by them: sampling parameters that are not used would take seconds.
    """
    graph, params = nnx.split(nnx.eval_shape(lambda: build_model(config, tokenizers)))
    return graph, params
