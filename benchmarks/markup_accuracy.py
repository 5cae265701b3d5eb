"""How often tags are put back where the gold links of the embedded corpus say that they belong.

    python benchmarks/markup_accuracy.py runs/demo [--spans 10] [decoding.KEY=VALUE ...]

Random spans of words are wrapped in a tag, one at a time. The gold links say where the tag belongs
if the words linked to those of the span are side by side, and linked to no other words. Gold links
are of the reference, so only translations that are the reference word for word are counted.
"""

import argparse
import json
import random
import re
from collections import Counter
from collections.abc import Iterator

import nmt
from nmt import configfile
from nmt.data import embedded
from nmt.data.embedded import SentencePair
from nmt.markup import html
from nmt.markup.parts import segments
from nmt.markup.segment import Segment

Span = tuple[int, int]  # the first word, and the one after the last


def gold_spans(pair: SentencePair) -> Iterator[tuple[Span, Span]]:
    """Yields each span of the source, but all of it, with its place in the target."""
    number = len(pair.source.split())
    for begin in range(number):
        for end in range(begin + 1, number + 1 - (begin == 0)):
            linked = {target for source, target in pair.links if begin <= source < end}
            back = {source for source, target in pair.links if target in linked}
            first, last = min(linked), max(linked) + 1
            if len(linked) == last - first and min(back) >= begin and max(back) < end:
                yield (begin, end), (first, last)


def wrapped(line: str, span: Span) -> str:
    """Returns a line with a tag around words, but not around the signs at their end."""
    words = line.split()
    inside = " ".join(words[slice(*span)])
    bare = re.sub(r"\W+$", "", inside)
    tagged = inside.replace(bare, f"<b>{bare}</b>")
    return " ".join([*words[: span[0]], tagged, *words[span[1] :]])


def placed(document: str, translation: nmt.Translation) -> Span:
    """Returns the words of a translation that the tag of a document is around."""
    found = segments(html.parse(document))
    (nodes,) = (each for each in found if not isinstance(each, str))
    before, inside, _ = re.split("</?b>", html.restored(Segment(nodes, ()), translation))
    return len(before.split()), len((before + inside).split())


def score(
    translator: nmt.Translator, pairs: list[SentencePair], *, spans: int, seed: int
) -> dict[str, float]:
    """Returns how much is right: of tags, of elements with both tags, and of words in or out."""
    rng, counts = random.Random(seed), Counter[str]()
    translations = translator.translate(pair.source for pair in pairs)
    for pair, translation in zip(pairs, translations, strict=True):
        if translation.text != pair.target:
            continue
        counts["sentences"] += 1
        found, number = list(gold_spans(pair)), len(pair.target.split())
        for span, gold in rng.sample(found, min(spans, len(found))):
            place = placed(wrapped(pair.source, span), translation)
            hits = [here == there for here, there in zip(place, gold, strict=True)]
            wrong = set(range(*place)) ^ set(range(*gold))
            counts.update(elements=1, words=number, tags=2)
            counts.update({"right elements": all(hits), "right tags": sum(hits)})
            counts["right words"] += number - len(wrong)
    shares = {
        kind: round(counts[f"right {kind}"] / max(1, counts[kind]), 4)
        for kind in ("tags", "elements", "words")
    }
    return {"sentences": counts["sentences"], "spans": counts["elements"], **shares}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run")
    parser.add_argument("--split", default="test")
    parser.add_argument("--spans", type=int, default=10, help="spans of a sentence, at most")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("settings", nargs="*")
    arguments = parser.parse_args()
    settings = configfile.parse_overrides(arguments.settings)
    decoding = {key.removeprefix("decoding."): value for key, value in settings.items()}
    translator = nmt.Translator.load(arguments.run, **decoding)
    pairs = embedded.pairs(arguments.split)
    print(json.dumps(score(translator, pairs, spans=arguments.spans, seed=arguments.seed)))


if __name__ == "__main__":
    main()
