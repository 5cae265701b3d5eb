"""The embedded German-English corpus: correct sentences from a small grammar, with gold alignment.

verbs, nouns -> sentences   what is said: meanings drawn at random, such as make sense
             -> german, english   how each language says it
             -> pairs       the text, the links between the words, the splits

`cd tools && python -m demo_corpus` writes the corpus into the package, for `nmt.data.embedded`.
"""

from demo_corpus.pairs import SIZES, generate

__all__ = ["SIZES", "generate"]
