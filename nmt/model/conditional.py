"""The decoder of dl4mt, Nematus and Marian: one cell, attention, another cell in each step."""

from dataclasses import replace
from typing import Any

import jax.numpy as jnp
from flax import nnx

from nmt.attention.interface import AttentionOutput, EncodedSource
from nmt.config import ConditionalDecoderConfig, ModelConfig
from nmt.model.decoder import Decoder, DecoderState, DropoutMasks
from nmt.recurrent import transition
from nmt.types import Readouts, StepGates, TargetEmbeddings


class ConditionalDecoder(Decoder):
    """The conditional GRU of Nematus (Sennrich et al. 2017), here of any cell.

        s'_t = cell_1(E y_{t-1}, s_{t-1})
        c_t = attention(s'_t)                   the query is the state between the two cells
        s_t = cell_2(c_t, s'_t)
        readout_t = tanh(U_o s_t + V_o E y_{t-1} + C_o c_t + b_o)

    Further `transitions` are cells that read no input: s_t = cell_k(s_t) for k = 3, 4, ... in turn
    (Miceli Barone et al. 2017). All these are the bottom layer. Upper layers read the output of
    the one below, and not the context, as in Marian and by default in Nematus (`dec_deep_context`
    adds it there); the readout takes the state of the top one. A test holds the decoder equal to
    Marian's, but for the first state and the first input.
    """

    def __init__(
        self, config: ConditionalDecoderConfig, model: ModelConfig, *, rngs: nnx.Rngs
    ) -> None:
        super().__init__(model, rngs=rngs)
        hidden, annotation = config.hidden_size, model.annotation_size
        others = config.transitions - 1
        self.second = transition.build(
            model.cell, annotation, hidden, transitions=others, rngs=rngs
        )
        features = hidden + annotation + model.embedding_size
        self.deep_output = nnx.Linear(features, self.readout_size, rngs=rngs)

    def step(
        self, state: DecoderState, projected: StepGates, encoded: EncodedSource, masks: DropoutMasks
    ) -> tuple[DecoderState, Any, AttentionOutput]:
        """Reads the previous token, attends, then reads the context."""
        first, recurrent = self.stack.cells[0], masks.stack.recurrent[0]
        bottom = first.step(state.stack[0], projected, recurrent)
        query = first.output(bottom)
        context, attended, attention = self.attention(query, encoded, state.attention)
        bottom = self.second.step(bottom, self.second.project(context), recurrent)
        moved = self.stack.above(bottom, state.stack, masks.stack)
        state = replace(state, stack=moved, attention=attention)
        return state, (self.stack.output(moved), context), attended

    def readout(self, features: Any, embedded: TargetEmbeddings, masks: DropoutMasks) -> Readouts:
        """Returns the tanh layer, Nematus's deep output (Pascanu et al. 2014)."""
        inputs = jnp.concatenate([*features, embedded], axis=-1)
        return jnp.tanh(self.deep_output(inputs)) * masks.readout[:, None, :]
