"""The server: translation for several clients at once, over HTTP; see docs/serving.md."""
