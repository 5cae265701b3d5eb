"""Settings of a network that aligns and does not translate."""

from typing import Annotated

from pydantic import Field

from nmt.config.recurrent import CellConfig, GRUConfig
from nmt.config.section import ConfigSection, Fraction, NotNegative, Size


class AlignerConfig(ConfigSection):
    """A network that explains each word by the words of the other language: it only aligns."""

    embedding_size: Size = 128
    """Width of the embeddings of both languages, and of what attention compares."""
    hidden_size: Size = 128
    """Units per direction of the recurrent layer that reads each language."""
    cell: CellConfig = GRUConfig()
    """Recurrent cell."""
    dropout: Fraction = 0.1
    """Dropout of the embeddings that the recurrent layers read."""
    empty: Annotated[float, Field(ge=1e-4, le=0.9)] = 0.05
    """Probability that a word comes from no word of the other language, but from the empty word."""
    longest_jump: Size = 10
    """Jumps of more pieces from one source position to the next are as likely as this one."""
    agreement: NotNegative = 0.5
    """Weight of the cost of links on which the two directions do not agree; 0: none."""
