"""How often tags are put back where the gold links of the embedded corpus say that they belong.

    python benchmarks/markup_accuracy.py runs/demo [--spans 10] [--seed 0] [decoding.KEY=VALUE ...]

Random spans of words of the test sentences are wrapped in a tag, one at a time. The gold links say
where the tag belongs if the words linked to the span are side by side, and linked to nothing else.
Only translations that are the reference word for word have gold links.
"""

import argparse
import json
import random
import re
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
    begin, end = span
    inside = " ".join(words[begin:end])
    letters = re.match(r"(.*\w)(\W*)", inside)
    before, behind = ("".join(f"{word} " for word in words[:begin]), words[end:])
    return before + f"<b>{letters[1]}</b>{letters[2]}" + "".join(f" {word}" for word in behind)


def placed(document: str, translation: nmt.Translation) -> Span:
    """Returns the words of a translation that a tag is around."""
    (segment,) = (
        Segment(each, ())
        for each in segments(html.parse(document))
        if each and not isinstance(each, str)
    )
    before, inside, _ = re.split("</?b>", segment.restored(translation, html.escape))
    return len(before.split()), len((before + inside).split())


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
    rng, pairs = random.Random(arguments.seed), embedded.pairs(arguments.split)
    translations = translator.translate(pair.source for pair in pairs)
    tags = elements = spans = sentences = words = right = 0
    for pair, translation in zip(pairs, translations, strict=True):
        found = list(gold_spans(pair))
        if translation.text != pair.target:
            continue
        sentences += 1
        for span, gold in rng.sample(found, min(arguments.spans, len(found))):
            place = placed(wrapped(pair.source, span), translation)
            hits = [here == there for here, there in zip(place, gold, strict=True)]
            tags, elements, spans = tags + sum(hits), elements + all(hits), spans + 1
            number = len(pair.target.split())
            right += number - len(set(range(*place)) ^ set(range(*gold)))
            words += number
    print(
        json.dumps(
            {
                "sentences": sentences,
                "elements": spans,
                "tags right": round(tags / 2 / spans, 4),
                "elements right": round(elements / spans, 4),
                "words right": round(right / words, 4),
            }
        )
    )


if __name__ == "__main__":
    main()
