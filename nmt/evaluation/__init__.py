"""Metrics of translations and of word alignments, and formats of alignments."""
