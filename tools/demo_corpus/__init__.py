"""The embedded German-English corpus: correct sentences from a small grammar, with gold alignment.

verbs, nouns -> clauses, sentences   random meanings that make sense
             -> german, english      the words of both languages
             -> pairs                text, links between words, splits

`cd tools && python -m demo_corpus` writes the corpus into the package, for `nmt.data.embedded`.
"""

from demo_corpus.pairs import SIZES, generate

__all__ = ["SIZES", "generate"]
