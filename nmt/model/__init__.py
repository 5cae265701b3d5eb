"""The network: a bidirectional recurrent encoder and attentional decoders."""
