"""The decoder of Xu et al. (2015), Show, attend and tell."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from nmt.attention.interface import AttentionOutput, EncodedSource
from nmt.config import LSTMConfig, ModelConfig, XuDecoderConfig
from nmt.model.decoder import Decoder, DecoderState, DropoutMasks
from nmt.model.encoder import mean_annotation
from nmt.types import Readouts, StepGates, TargetEmbeddings


class XuDecoder(Decoder):
    """The decoder of Xu et al. (2015), sections 3.1.2 and 4.2.1, with any cell and mechanism.

        c_0 = tanh(W_c a + b_c),  h_0 = tanh(W_h a + b_h)   a: the mean of all annotations
        beta_t = sigmoid(w h_{t-1} + b)                     4.2.1, f_beta; 1 without `gate`
        z_t = beta_t * attention(h_{t-1})                   eq. 4-6; the query is the state before
        h_t, c_t = cell([E y_{t-1}; z_t], h_{t-1}, c_{t-1})                             eq. 1-3
        readout_t = E y_{t-1} + L_h h_t + L_z z_t

    The logits L_o readout_t + b are those of equation 7, whose L_o has no bias.

    What the paper leaves open: f_init,c and f_init,h are MLPs of unknown depth, here one tanh layer
    each, as in the authors' code; a GRU has no c_t and needs f_init,h alone. f_beta is not printed,
    here an affine layer, and beta_t is one number for each step. The paper describes it for soft
    attention; here each mechanism has it. There is no nonlinearity in the deep output, as equation
    7 prints it; the authors' code has a tanh there. Layers above the first are not in the paper:
    they are those of the other decoders, and the query and h_t are of the top one.
    """

    def __init__(self, config: XuDecoderConfig, model: ModelConfig, *, rngs: nnx.Rngs) -> None:
        super().__init__(model, rngs=rngs)
        hidden, annotation = config.hidden_size, model.annotation_size
        layers = config.layers if isinstance(model.cell, LSTMConfig) else 0
        self.memory: Sequence[nnx.Linear] = nnx.List(
            [nnx.Linear(annotation, hidden, rngs=rngs) for _ in range(layers)]
        )
        self.context = nnx.Linear(annotation, self.stack.gates, use_bias=False, rngs=rngs)
        self.gate = nnx.Linear(hidden, 1, rngs=rngs) if config.gate else None
        self.from_hidden = nnx.Linear(hidden, self.readout_size, use_bias=False, rngs=rngs)
        self.from_context = nnx.Linear(annotation, self.readout_size, use_bias=False, rngs=rngs)

    def initial_state(self, encoded: EncodedSource) -> DecoderState:
        """Returns the state made from the mean annotation, whatever the summary of the encoder."""
        mean = mean_annotation(encoded.annotations, encoded.mask)
        state = super().initial_state(replace(encoded, summary=mean))
        if not self.memory:
            return state
        layers = zip(state.stack, self.memory, strict=True)
        memories = [replace(each, memory=jnp.tanh(layer(mean))) for each, layer in layers]
        return replace(state, stack=tuple(memories))

    def step(
        self, state: DecoderState, projected: StepGates, encoded: EncodedSource, masks: DropoutMasks
    ) -> tuple[DecoderState, Any, AttentionOutput]:
        """Attends with the given state, gates the context, then updates the state."""
        query = self.stack.output(state.stack)
        context, attended, attention = self.attention(query, encoded, state.attention)
        if self.gate is not None:
            context = jax.nn.sigmoid(self.gate(query)) * context
        moved = self.stack.step(state.stack, projected + self.context(context), masks.stack)
        state = replace(state, stack=moved, attention=attention)
        return state, (self.stack.output(moved), context), attended

    def readout(self, features: Any, embedded: TargetEmbeddings, masks: DropoutMasks) -> Readouts:
        """Returns the deep output layer (Pascanu et al. 2014) without its output matrix L_o."""
        hidden, context = features
        readouts = embedded + self.from_hidden(hidden) + self.from_context(context)
        return readouts * masks.readout[:, None, :]
