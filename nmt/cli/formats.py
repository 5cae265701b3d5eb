"""What `nmt translate` writes for a line: text, Moses' n-best list, or JSON."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nmt.data.n_best import Entry

if TYPE_CHECKING:
    from nmt.inference.translation import Translation


def entry(number: int, found: "Sequence[Translation]", *, n_best: bool, as_object: bool) -> str:
    """Returns what is written for a line; `number` counts lines from 0."""
    if as_object:
        return as_json(number, found, n_best=n_best)
    return as_n_best(number, found) if n_best else as_text(found)


def as_text(found: "Sequence[Translation]") -> str:
    """Returns the best translation of a line."""
    return f"{found[0].text}\n"


def as_n_best(number: int, found: "Sequence[Translation]") -> str:
    """Returns the translations of a line as Moses writes them; `number` counts lines from 0."""
    features = (
        f"logprob= {each.log_prob:.4f}"
        + ("" if each.utility is None else f" utility= {each.utility:.4f}")
        for each in found
    )
    return "".join(
        Entry(number, each.text, feature, f"{each.score:.4f}").line()
        for each, feature in zip(found, features, strict=True)
    )


def as_json(number: int, found: "Sequence[Translation]", *, n_best: bool) -> str:
    """Returns a JSON object in one line: the line, and its translation or `translations`."""
    best = found[0]
    line = {
        "id": number,
        "source": best.source,
        "source_pieces": best.source_pieces,
        "source_words": best.words.source,
    }
    hypotheses = list(map(_hypothesis, found))
    line |= {"translations": hypotheses} if n_best else hypotheses[0]
    return json.dumps(line, ensure_ascii=False) + "\n"


def _hypothesis(translation: "Translation") -> dict[str, Any]:
    from nmt.inference.output import word_links

    return {
        "text": translation.text,
        "score": translation.score,
        "log_prob": translation.log_prob,
        **({} if translation.utility is None else {"utility": translation.utility}),
        "pieces": translation.target_pieces,
        "words": (words := translation.target_words.labels),
        "piece_log_probs": translation.piece_log_probs.tolist(),
        "word_log_probs": [value for _, value in translation.word_log_probs[: len(words)]],
        "alignment": sorted(word_links(translation)),
    }
