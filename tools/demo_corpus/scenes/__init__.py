"""The embedded corpus of scenes: pictures of a few shapes, with a sentence in two languages.

layouts     what is in a picture, and where: a group alone, groups in a line, groups at a corner
grammar     the German and the English sentence of it
placement   the pixels of each shape
corpus      random scenes, their splits, and the lines of the file

What is drawn decides on the sentence: no layout has two.
"""

from demo_corpus.scenes.corpus import SIZES, generate, table

__all__ = ["SIZES", "generate", "table"]
