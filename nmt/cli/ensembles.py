"""Runs and bundles on the command line: one, or an ensemble of several, written as `a+b`."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nmt import hub
from nmt.cli import options
from nmt.data import files
from nmt.errors import ConfigError, DataError

if TYPE_CHECKING:
    from nmt.config import DataConfig

RunOrEnsemble = Annotated[
    Path,
    typer.Argument(
        metavar="RUN",
        help="A run folder, made by `nmt train`; a bundle of `nmt export`, or hf:USER/NAME; or an "
        "ensemble, A+B.",
    ),
]


def is_model(path: Path) -> bool:
    """Returns whether a path may be that of a run or a bundle: a folder, or a name of the hub."""
    return os.path.isdir(path) or hub.is_name(path)


def members(run: Path) -> list[Path]:
    """Returns the run folders of an argument: the one that it names, or those of an ensemble.

    A plus sign joins them, unless it is a part of the name of a folder. Where one is missing, the
    others tell that it is an ensemble, and its name is said where it is opened.
    """
    name = str(run)
    for place in reversed([i for i, letter in enumerate(name) if letter == "+"]):
        first, others = Path(name[:place]), name[place + 1 :]
        if name[:place] and others and is_model(first) and not os.path.isdir(run):
            return [first, *members(Path(others))]
    parts = name.split("+")
    if all(parts) and not os.path.exists(run) and any(is_model(Path(part)) for part in parts):
        return [Path(part) for part in parts]
    return [run]


def name(run: Path) -> str:
    """Returns the names of the folders as text, without those that they lie in."""
    names = (Path(os.path.abspath(each)).name for each in members(run))  # also of `.`
    return options.sentence("+".join(names))


def data(run: Path) -> "DataConfig":
    """Returns the configuration of the data of a run, or of the first one of an ensemble."""
    from nmt.trained import opened

    return opened(members(run)[0]).config.data


def aligns(run: Path) -> bool:
    """Returns whether a run, or the first one of an ensemble, aligns and does not translate."""
    from nmt.trained import opened

    return opened(members(run)[0]).config.aligner is not None


def check_translates(run: Path) -> None:
    """Checks that a run, or each one of an ensemble, translates and does not align.

    Raises:
        DataError: one aligns.
    """
    from nmt import trained

    for member in members(run):
        trained.check_translates(trained.opened(member))


def inputs_apart(run: Path, arguments: Sequence[str]) -> tuple[list[Path], Path]:
    """Returns those arguments that are runs, which are folders, and INPUT: a file, or a pipe.

    Raises:
        DataError: a folder is no run, or there are several inputs.
        RunError: INPUT does not exist, and `run`, which comes before it, is none.
    """
    from nmt.trained import opened

    given = [Path(each) for each in arguments]
    found = [each for each in given if all(map(is_model, members(each)))]
    inputs = [each for each in given if each not in found]
    for folder in (folder for each in found for folder in members(each)):
        marks = (folder / name for name in ("config.yaml", "config.json"))
        with files.reported(folder):
            no_run = folder.is_dir() and not any(mark.is_file() for mark in marks)
        if no_run:
            raise DataError(f"{folder}: no run (it has no config.yaml), and INPUT is a file")
    if len(inputs) > 1:
        names = " and ".join(map(str, inputs))
        raise DataError(f"{names}: one INPUT at a time is read, and a run is a folder")
    if inputs and not os.path.exists(inputs[0]):  # of two mistakes, the first one is told
        for each in members(run):
            opened(each)
    return found, inputs[0] if inputs else files.STDIN


def checkpoint_of(option: str) -> Any:
    """Returns the name, or the step, that `--checkpoint` gives.

    Raises:
        DataError: it is not best, last, averaged or a number.
    """
    if option not in ("best", "last", "averaged") and not option.isdecimal():
        raise DataError(f"--checkpoint takes best, last, averaged or a step, not {option!r}")
    return int(option) if option.isdecimal() else option


def translator(*runs: Path, settings: dict[str, Any], checkpoint: str, trust: bool) -> Any:
    """Returns the translator of a run, or of several as an ensemble.

    Decoding settings replace those of the run.

    Raises:
        DataError: `checkpoint` is not best, last, averaged or a number.
        ConfigError: a setting has the name of an option.
        UserError: see `Translator.load`.
    """
    from nmt.inference.translator import Translator

    return _loaded(Translator, *runs, settings=settings, checkpoint=checkpoint, trust=trust)


def captioner(*runs: Path, settings: dict[str, Any], checkpoint: str, trust: bool) -> Any:
    """Returns the captioner of a run whose sources are not text, or of several, as `translator`."""
    from nmt.inference.captioner import Captioner

    return _loaded(Captioner, *runs, settings=settings, checkpoint=checkpoint, trust=trust)


def aligner(run: Path, *, settings: dict[str, Any], checkpoint: str, trust: bool) -> Any:
    """Returns the aligner of a run, as `translator`."""
    from nmt.inference.aligner import Aligner

    return _loaded(Aligner, run, settings=settings, checkpoint=checkpoint, trust=trust)


def _loaded(kind: Any, *runs: Path, settings: dict[str, Any], checkpoint: str, trust: bool) -> Any:
    which = checkpoint_of(checkpoint)
    for setting in {"checkpoint", "dictionary", "glossary", "trust"} & settings.keys():
        raise ConfigError(
            f"decoding.{setting}: no setting of decoding; write --{setting}, where a command has it"
        )
    if trust:
        options.look_for_classes_here()
    folders = [folder for run in runs for folder in members(run)]
    model = kind.load(folders, checkpoint=which, trust=trust, **settings)
    strategy, beam = model.config.strategy, model.config.beam
    if "beam" in settings and strategy.most(beam) != beam:
        raise ConfigError(
            f"a beam of {beam} has no effect with decoding.strategy={strategy.kind}: leave out one"
        )
    return model
