"""Parallel text: reading corpora, subword tokenization, batches."""
