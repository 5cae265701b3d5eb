"""The axes and the types of arrays: the one place that says what the names in a signature mean.

    batch       sentences computed together (padding rows have weight zero)
    beam        hypotheses kept for one sentence
    row         sentences or hypotheses computed together, where it does not matter which
    src         source positions: subword pieces, end of sentence included; vectors; picture cells
    tgt         target positions in subword pieces, end of sentence included
    input       components of the vector at a source position: of an embedding, or as given
    embed       components of a token embedding
    hidden      components of a recurrent state
    gates       components of a cell's projected input, one block of `hidden` for each gate
    query       components of the decoder state that attends
    annotation  components of an encoder output, which is attended to: both directions
    key         components of a projected annotation
    guided      components of what a guided head compares
    readout     components of the layer under the logits
    vocab       entries of a target vocabulary
    device      local accelerators, the leading axis of a sharded batch

Arrays are batch-major everywhere; time leads only inside the functions that scan.
"""

from typing import Any

from flax import nnx
from jaxtyping import Array, Bool, Float, Int, Key, UInt8

Params = nnx.State[Any, Any]
Graph = nnx.GraphDef[Any]
Scalar = Float[Array, ""]
Integer = Int[Array, ""]
RandomKey = Key[Array, ""]
RowKeys = Key[Array, " batch"] | None  # a random key for each row of a batch

# Sources, as they are given and as an encoder reads them
SourceTokens = Int[Array, "batch src"]
SourceVectors = Float[Array, "batch src input"]
SourceCells = UInt8[Array, "batch src input"]  # the pixels of cells, by row, column and color
GivenSource = SourceTokens | SourceVectors | SourceCells
Lengths = Int[Array, " batch"]  # end of sentence included; 0 for rows of padding
SourceMask = Bool[Array, "batch src"]  # True on real positions, False on padding

# Targets
TargetTokens = Int[Array, "batch tgt"]
TargetEmbeddings = Float[Array, "batch tgt embed"]

# Recurrent cells, at one step or at many
CellInput = Float[Array, "*rows input"]
Gates = Float[Array, "*rows gates"]
CellOutput = Float[Array, "*rows hidden"]
StateMask = Float[Array, "*rows hidden"] | None  # dropout of recurrent products; None: no dropout
StepGates = Float[Array, "batch gates"]  # at one step of a decoder

# Attention, at one target position
Annotations = Float[Array, "batch src annotation"]
Summary = Float[Array, "batch annotation"]  # of the whole source
Keys = Float[Array, "batch src key"]
GuidedKeys = Float[Array, "batch src guided"]  # of annotations and embeddings
Query = Float[Array, "batch query"]
Scores = Float[Array, "batch src"]  # not normalized
Weights = Float[Array, "batch src"]  # normalized; zero on padding
Position = Int[Array, " batch"]  # in the source, counted from 0
Context = Float[Array, "batch annotation"]
Coverage = Float[Array, "batch src coverage"]

# The output layer, and attention at all target positions
AttentionMatrix = Float[Array, "batch tgt src"]
Readouts = Float[Array, "batch tgt readout"]
OutputMatrix = Float[Array, "vocab readout"]
OutputBias = Float[Array, " vocab"]

# The next token of each hypothesis
LastTokens = Int[Array, " row"]
LogProbs = Float[Array, "row vocab"]
