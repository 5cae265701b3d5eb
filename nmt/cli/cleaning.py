"""The command that cleans a training corpus."""

import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nmt.cli import options
from nmt.errors import DataError

if TYPE_CHECKING:
    from nmt.config import DataConfig
    from nmt.config.data import WordBoundaries


def clean(
    arguments: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[CONFIG] [data.KEY=VALUE]...", help="A YAML configuration, and settings."
        ),
    ] = None,
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Prefix x of the output, x.de and x.en.")
    ],
    source: Annotated[
        Path | None, typer.Option(help="Source text, instead of a configuration.")
    ] = None,
    target: Annotated[Path | None, typer.Option(help="Its translation, line by line.")] = None,
    removed: Annotated[
        Path | None, typer.Option(help="Also write the pairs that are left out, and why, as TSV.")
    ] = None,
) -> None:
    """Clean a training corpus by the rules of `data.clean`.

    A report says what each of them left out.

    Example: nmt clean --source a.de --target a.en -o clean data.clean.max_characters=500
    """
    from nmt.data import corpora, writing

    configs, overrides = options.overrides_apart(arguments)
    if (source is None) != (target is None) or len(configs) != (source is None):
        raise DataError("nmt clean takes a configuration, or --source FILE and --target FILE")
    if source is None or target is None:
        data = _of_config(Path(configs[0]), overrides)
    else:
        data = _of_files(source, target, overrides)
    written = _written(output, data.languages)
    if removed is not None and any(writing.collide(removed, each) for each in written):
        raise DataError(f"{removed}: is a file of the cleaned corpus; choose another for --removed")
    for path in [*written, *([removed] if removed else [])]:
        _check_no_input(path, data)
    training = corpora.training(data)
    _write(training.text, written, data.word_boundaries)
    if removed is not None:
        with options.writer(removed) as out:
            for row in training.removed():
                out.write("\t".join(cell.replace("\t", " ") for cell in row) + "\n")
    assert training.report is not None  # data.clean is given
    print(training.report.table(), file=sys.stderr)


def _of_config(path: Path, overrides: list[str]) -> "DataConfig":
    from nmt import configfile
    from nmt.config import CleaningConfig

    data = configfile.load(path, overrides).data
    if data.input.kind != "text":
        raise DataError(f"{path}: cleaning is for sources of text, and it has {data.input.kind}")
    return data if data.clean else data.model_copy(update={"clean": CleaningConfig()})


def _of_files(source: Path, target: Path, overrides: list[str]) -> "DataConfig":
    """Returns the settings for two files, of which the endings name the languages."""
    from nmt import configfile
    from nmt.config.endings import language

    pair = [str(source), str(target)]
    first, second = map(language, pair)
    data: dict[str, Any] = {"train": pair, "clean": {}}
    data |= {"source": first or "source", "target": second or "target"}
    given = [each for each in overrides if each.startswith(("data.validation", "data.test"))]
    if not given:  # a configuration must have a validation corpus
        data |= {"validation": pair, "clean": {"held_out": None}}
    if not any(each.startswith("data.validation") for each in given):
        overrides = [*overrides, *(each.replace("test", "validation", 1) for each in given)]
    found = configfile.with_overrides({"data": data}, overrides, where="nmt clean").data
    if not given and found.clean is not None and found.clean.held_out is not None:
        raise DataError(
            "data.clean.held_out is about other text: give data.validation or data.test"
        )
    return found


def _written(output: Path, languages: tuple[str, str]) -> list[Path]:
    """Returns the files with a prefix: of source, target and links.

    Raises:
        DataError: there can be no such files, or two are one.
    """
    if os.path.isdir(output):
        raise DataError(
            f"{output}: a folder; give the prefix of the files, such as {output / 'clean'}"
        )
    for key, code in zip(("data.source", "data.target"), languages, strict=True):
        if not code or os.sep in code:
            raise DataError(f"{key}={code}: no file name ends so; give a code, as in {key}=de")
    if languages[0] == languages[1]:
        raise DataError(
            f"both sides would be written to {output}.{languages[0]}; name the languages, as in "
            "data.source=de data.target=en"
        )
    return [output.with_name(f"{output.name}.{ending}") for ending in (*languages, "align")]


def _check_no_input(path: Path, data: "DataConfig") -> None:
    """Checks that a file to write is no file that is read, and hides no compressed one."""
    from nmt.data import writing

    if not writing.is_replaced(path):
        return
    for each in (*data.corpora, *data.held_out.values()):
        prefixed = [f"{each.path}.{language}" for language in each.languages or data.languages]
        for read in filter(None, (each.path, each.source, each.target, each.alignments, *prefixed)):
            for written, mistake in writing.overwritten(path).items():
                if _is_same(written, Path(read)):
                    raise DataError(f"{path}: {mistake}; choose another name")


def _is_same(path: Path, other: Path) -> bool:
    """Returns whether both name one file, also where it is stored with .gz, ... at its end."""
    named = path.resolve() == other.resolve()
    return named or (os.path.exists(path) and os.path.exists(other) and path.samefile(other))


def _write(text: Any, paths: list[Path], word_boundaries: "WordBoundaries") -> None:
    """Writes source and target of pairs, and their links if they have some."""
    from nmt.data import links
    from nmt.evaluation.pharaoh import format_links

    with contextlib.ExitStack() as opened:
        if "links" not in text.column_names:
            paths = paths[:2]
        source, target, *align = (opened.enter_context(options.writer(path)) for path in paths)
        for rows in text.iter(batch_size=1000):
            source.writelines(f"{line}\n" for line in rows["source"])
            target.writelines(f"{line}\n" for line in rows["target"])
            for out in align:
                columns = (rows[name] for name in ("links", "source", "target"))
                for row, *pair in zip(*columns, strict=True):
                    out.write(f"{format_links(links.counted(row, pair, word_boundaries))}\n")
