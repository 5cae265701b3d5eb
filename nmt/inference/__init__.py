"""Inference: search, forced decoding and explanations."""
