"""The options by which translate, align and score work on a corpus of many files, with Ray."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nmt.cli import resumption
from nmt.errors import DataError

if TYPE_CHECKING:
    from nmt.inference.translator import Translator

Ray = Annotated[
    str | None,
    typer.Option(
        metavar="local|auto|HOST:PORT",
        help="Work on a corpus of many files with Ray: on this machine alone, or on the cluster "
        "that it belongs to; see ray.md. The output is a folder then.",
    ),
]
Input = Annotated[
    list[str] | None,
    typer.Option(
        "--input", metavar="GLOB", help="With --ray: files to translate, as in 'corpus/*.de.gz'."
    ),
]
Column = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME", help="With --ray: column of Parquet or JSON lines to read."),
]
Actors = Annotated[
    int | None,
    typer.Option(min=1, help="With --ray: processes; as many as have room if not given."),
]
Cores = Annotated[
    int | None, typer.Option(min=1, help="With --ray: CPU cores of each process; 1 if not given.")
]


@dataclass(frozen=True)
class Corpus:
    """A corpus that is worked on with Ray, as the options say."""

    ray: str
    columns: tuple[str, ...]
    pool: Mapping[str, int]  # arguments of a `Pool`

    def pairs(self) -> Callable[[Sequence[Path]], Iterator[tuple[str, str]]]:
        """Returns what reads the pairs of a source and a target file.

        Raises:
            DataError: there are not two columns.
        """
        from nmt.cluster.columns import pairs

        named = self.columns or ("source", "target")
        if len(named) != 2:
            raise DataError("--column: give it twice, for the source and for the target")
        return partial(pairs, columns=named)

    def process(
        self,
        *sides: Sequence[str | Path],
        folders: Sequence[Path | None],
        read: Callable[[Sequence[Path]], Iterator[Any]],
        load: Callable[[], "Translator"],
        write: Callable[["Translator", Sequence[Any], int], Sequence[str]],
        how: Mapping[str, Any],
    ) -> None:
        """Works on the files of one or two sides; see `nmt.cluster.job` for the three functions.

        Results lie in `folders`, of which the first must be given; `how` is what they depend on
        besides the files, the columns and the translator.

        Raises:
            UserError: see `nmt.cluster.work`.
        """
        import jax

        from nmt.cluster import corpus, work
        from nmt.cluster.columns import has_columns
        from nmt.cluster.job import Job
        from nmt.cluster.pool import Pool, opened

        if folders[0] is None:
            raise DataError("--ray writes a file for each file: give --output FOLDER")
        if not all(sides):
            raise DataError("--ray needs pairs: give --source and --target")
        found = [corpus.find(map(str, side)) for side in sides]
        for path in chain(*found) if self.columns else ():
            if not has_columns(path):
                raise DataError(f"{path}: lines of text have no columns; leave out --column")
        shards = corpus.shards(*found, folders=[folder for folder in folders if folder])
        with opened(Pool(self.ray, **self.pool)) as pool:  # it forks, and JAX must not run before
            jax.config.update("jax_platforms", "cpu")  # GPUs are for the pool
            translator = load()
            made_of = resumption.made_of(translator, {**how, "--column": self.columns})
            work.process(shards, Job(read, load, write, translator.window), pool, how=made_of)


def asked(
    ray: str | None,
    column: Sequence[str] | None,
    actors: int | None,
    cores_per_actor: int | None,
    *,
    inputs: Sequence[str] | None = None,
    never: Mapping[str, object],
) -> Corpus | None:
    """Returns the corpus that is to be worked on with Ray, if the options ask for it.

    Raises:
        DataError: an option is given that goes with it only, or one that never does.
    """
    with_ray = {"--input": inputs, "--column": column, "--actors": actors}
    with_ray |= {"--cores-per-actor": cores_per_actor}
    wrong = [name for name, value in (with_ray if ray is None else never).items() if value]
    if ray is None:
        if wrong:
            raise DataError(f"{wrong[0]} is for a corpus of many files: give --ray as well")
        return None
    if wrong:
        raise DataError(f"{wrong[0]} is for a single text: leave it out, or --ray")
    pool = {"actors": actors, "cores": cores_per_actor}
    given = {name: value for name, value in pool.items() if value is not None}
    return Corpus(ray, tuple(column or ()), given)
