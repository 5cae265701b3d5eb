"""Parallel text: where it comes from, how it is cut into pieces, how it is put into batches."""
