"""The embedded German-English corpora: correct sentences from a small grammar.

The corpus with gold alignment is made here, the one about pictures in `scenes`.

verbs, nouns -> clauses, sentences   random meanings that make sense
             -> german, english      the words of both languages
             -> pairs                text, links between words, splits

`cd tools && python -m demo_corpus` writes both corpora into the package, for `nmt.data.embedded`
and `nmt.data.scenes`.
"""

from demo_corpus.pairs import SIZES, generate

__all__ = ["SIZES", "generate"]
