"""The encoder of annotations that are given."""

from flax import nnx

from nmt.config import CellConfig, DropoutConfig, IdentityConfig, InputShape
from nmt.model.encoder import Encoding, mean_annotation
from nmt.recurrent import dropout
from nmt.types import RowKeys, SourceMask, SourceVectors


class IdentityEncoder(nnx.Module):
    """h_j = x_j: the vectors of the source are the annotations.

    They are such as another network computed, as those of VGG in Xu et al. (2015). The summary is
    their mean.
    """

    def __init__(
        self,
        config: IdentityConfig,
        cell: CellConfig,
        shape: InputShape,
        *,
        rates: DropoutConfig,
        rngs: nnx.Rngs,
    ) -> None:
        self.rates = rates

    def __call__(
        self, inputs: SourceVectors, mask: SourceMask, *, dropout_keys: RowKeys = None
    ) -> Encoding:
        """Returns the vectors, with dropout of annotations."""
        annotations = dropout.over_time(dropout_keys, self.rates.at("annotations"), inputs)
        annotations = annotations * mask[..., None]
        return Encoding(annotations, mask, summary=mean_annotation(annotations, mask))
