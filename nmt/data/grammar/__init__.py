"""The embedded German-English corpus: correct sentences from a small grammar, with gold alignment.

verbs, nouns -> sentences   what is said: meanings drawn at random, such as make sense
             -> german, english   how each language says it
             -> pairs       the text, the links between the words, the splits
"""

from nmt.data.grammar.pairs import SentencePair, generate

__all__ = ["SentencePair", "generate"]
