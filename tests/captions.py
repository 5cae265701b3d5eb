"""The phrases of captions of the embedded scenes, for the tests that read them."""

from itertools import groupby

PLURALS = {f"{kind}s": kind for kind in ("circle", "ring", "square", "triangle", "diamond")}
PLURALS["crosses"] = "cross"


def phrases(caption):
    """Returns (words without marks, boxes) of each run of words that name the same shapes."""
    pairs = zip(caption.text.split(), caption.boxes, strict=True)
    runs = ((boxes, list(run)) for boxes, run in groupby(pairs, key=lambda pair: pair[1]))
    return [([word.strip(".,") for word, _ in run], boxes) for boxes, run in runs if boxes]


def singular(noun):
    """Returns the singular of an English noun, of which it may be a plural."""
    return PLURALS.get(noun, noun)
