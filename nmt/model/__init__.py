"""The network: a bidirectional GRU encoder and an attentional GRU decoder."""
