"""The embedded German-English corpus."""
