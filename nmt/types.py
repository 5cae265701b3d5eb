"""The legend of array axes: the one place that says what an axis name in a signature means.

    batch       sentences computed together (padding rows have weight zero)
    beam        hypotheses kept for one sentence
    src         source positions in subword pieces, end of sentence included
    tgt         target positions in subword pieces, end of sentence included
    embed       components of a token embedding
    hidden      components of a recurrent state
    query       components of what asks: the decoder state that attends
    annotation  components of what is asked: one encoder state, both directions
    key         components of a projected annotation
    readout     components of the layer under the logits
    vocab       entries of a target vocabulary
    device      local accelerators, the leading axis of a sharded batch

Arrays are batch-major everywhere; time leads only inside the functions that scan.
"""

from typing import Any

from flax import nnx
from jaxtyping import Array, Float, Key

Params = nnx.State[Any, Any]
Graph = nnx.GraphDef[Any]
Scalar = Float[Array, ""]
RandomKey = Key[Array, ""]
RowKeys = Key[Array, " batch"] | None  # a random key for each row of a batch
