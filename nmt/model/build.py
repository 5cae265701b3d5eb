"""From a configuration and its tokenizers to a model."""

from nmt.config import Config
from nmt.data.tokenizer import Tokenizers
from nmt.model.seq2seq import Seq2Seq, build


def build_model(config: Config, tokenizers: Tokenizers) -> Seq2Seq:
    """Returns the model of a configuration with fresh parameters, as wide as the vocabularies."""
    return build(
        config.model,
        source_size=tokenizers.source.size,
        target_size=tokenizers.target.size,
        seed=config.seed,
    )
