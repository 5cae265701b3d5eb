"""Settings of minimum Bayes risk decoding: which of several candidates is the translation."""

from typing import Annotated, Literal

from nmt.config.data import BleuTokenizer
from nmt.config.section import Choice, ConfigSection, Size

SAMPLES = 32  # if their number is not given


class RiskConfig(ConfigSection):
    """Settings of all utilities."""

    candidates: Size | None = None
    """Number of candidates; null: all hypotheses of the beam, or 32 samples."""
    aggregate: bool = False
    """Compare with the mean n-gram counts of the candidates, not with each of them."""


class ChrfRiskConfig(RiskConfig):
    """The candidate with the highest expected sentence chrF: see [scoring.md](scoring.md)."""

    utility: Literal["chrf"] = "chrf"


class BleuRiskConfig(RiskConfig):
    """The candidate with the highest expected sentence BLEU: see [scoring.md](scoring.md)."""

    utility: Literal["bleu"] = "bleu"
    tokenize: BleuTokenizer = "13a"
    """Tokenizer of BLEU, by the names of sacreBLEU."""


MbrConfig = Annotated[ChrfRiskConfig | BleuRiskConfig | None, Choice("utility", default="chrf")]
