"""BLEU as papers on Multi30k have it: of tokens, in lower case, with normalized punctuation.

    pip install sacremoses
    python benchmarks/multi30k_score.py HYPOTHESES test_2016_flickr.de
    python benchmarks/multi30k_score.py --counts test_2016_flickr.de test_2017_flickr.fr
    python benchmarks/multi30k_score.py --write TOKENS train.de train.en val.de val.en

The data set's own scripts are lowercase.perl, normalize-punctuation.perl -l LANGUAGE and
tokenizer.perl -l LANGUAGE of Moses, in this order; sacremoses has the last two. Hyphens are not
split (`-a` of the tokenizer). The language is the ending of the reference. `--write` makes a corpus
of such tokens, to train on, whose translations are scored as they are (data.bleu_tokenizer=none).
"""

import argparse
from pathlib import Path

from sacremoses import MosesPunctNormalizer, MosesTokenizer

from nmt.config import endings
from nmt.data import files
from nmt.evaluation.metrics import bleu


def tokenized(path: Path, language: str) -> list[str]:
    """Returns the lines of a file as the data set's scripts write them, a space between tokens."""
    normalizer, tokenizer = MosesPunctNormalizer(language), MosesTokenizer(language)
    return [
        tokenizer.tokenize(normalizer.normalize(line.lower()), return_str=True)
        for line in files.lines(files.find(path))
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("texts", type=Path, nargs="+", help="hypotheses and their reference")
    parser.add_argument("--counts", action="store_true", help="print the tokens of each text only")
    parser.add_argument("--write", type=Path, metavar="FOLDER", help="write the tokens only")
    given = parser.parse_args()
    if given.counts or given.write:
        for path in given.texts:
            lines = tokenized(path, endings.suffix(path).removeprefix("."))
            if given.write:
                given.write.mkdir(parents=True, exist_ok=True)
                text = "".join(f"{line}\n" for line in lines)
                (given.write / path.name).write_text(text, encoding="utf-8")
            else:
                print(path.name, sum(len(line.split()) for line in lines))
    else:
        language = endings.suffix(given.texts[-1]).removeprefix(".")
        hypotheses, reference = (tokenized(path, language) for path in given.texts)
        print(bleu(hypotheses, reference, tokenize="none"))
