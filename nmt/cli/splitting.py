"""The command that divides a corpus into training, validation and test."""

import contextlib
import os
import shlex
import sys
from itertools import chain
from pathlib import Path
from typing import Annotated

import typer

from nmt.cli import corpora, options
from nmt.errors import DataError

TEXTS = {"train": "train", "validation": "val", "test": "test"}  # options of `nmt init`, and names


def split(
    languages: Annotated[
        str,
        typer.Argument(metavar="SOURCE-TARGET", help="Endings of both files, such as es-en."),
    ],
    *,
    corpus: Annotated[
        list[str],
        typer.Option(
            help="Prefix x of x.es and x.en, or a TSV, JSON lines or Parquet; given twice: a pair "
            "of text files."
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder of the texts train, val and test.")
    ],
    columns: corpora.Columns = None,
    validation: Annotated[int, typer.Option(min=1, help="Pairs of validation.")] = 1000,
    test: Annotated[int, typer.Option(min=0, help="Pairs of test.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Decides which pairs are drawn.")] = 1,
) -> None:
    """Divide a corpus into training, validation and test.

    They share no sentence.

    Example: nmt split es-en --corpus DIR/all -o DIR
    """
    from nmt.data import held_out, writing

    codes = corpora.languages(languages)
    if codes[0] == codes[1]:
        raise DataError(
            f"{languages}: both sides would be written to {output / 'train'}.{codes[0]}; give two "
            "codes, as in de:de-CH"
        )
    found = corpora.find({"corpus": corpus}, codes, columns=corpora.columns(columns))
    pairs = corpora.read(found["corpus"], codes)
    sizes = [validation, test] if test else [validation]
    written = [output / name for name in TEXTS.values()][: len(sizes) + 1]
    paths = [[Path(f"{prefix}.{code}") for code in codes] for prefix in written]
    for path in chain.from_iterable(paths):
        if os.path.exists(path):
            raise DataError(f"{path}: exists, and is not overwritten; choose another --output")
    parts = held_out.parts(pairs(), sizes, seed=seed)
    with writing.reported(output):
        output.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as opened:
        files = [[opened.enter_context(options.writer(path)) for path in both] for both in paths]
        for part, pair in zip(parts.tolist(), pairs(), strict=True):
            for file, text in zip(files[part], pair, strict=True):
                file.write(f"{text}\n")
    counts = (f"{(parts == part).sum():,} in {prefix}" for part, prefix in enumerate(written))
    print(f"pairs: {', '.join(counts)}", file=sys.stderr)
    given = zip(TEXTS, map(shlex.quote, map(str, written)), strict=False)
    print(
        "next: nmt init",
        languages,
        *(f"--{name} {prefix}" for name, prefix in given),
        file=sys.stderr,
    )
