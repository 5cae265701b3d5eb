"""What `nmt align` links words by: one model, two of both directions, or an aligner."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nmt.cli import ensembles
from nmt.errors import DataError

if TYPE_CHECKING:
    from nmt.evaluation.alignment import GoldLinks, Link
    from nmt.evaluation.cross_validation import CrossValidation
    from nmt.inference.translation import Translation

Pairs = Iterable[tuple[str, str]]


@dataclass(frozen=True)
class Linker:
    """Links the words of pairs by a run, and by one of the other direction if it is given.

    Settings that are None are not given.
    """

    run: Path
    backward: Path | None
    method: str | None
    threshold: float | None
    symmetrization: str | None
    fit: bool  # the aligner, to the pairs
    model: dict[str, Any]  # how to load one: settings, checkpoint and trust

    def check(self) -> None:
        """Checks that the options fit the run, before anything is loaded or fitted.

        Raises:
            DataError: they do not.
            ConfigError: there is no such symmetrization.
        """
        from nmt.evaluation.symmetrization import METHODS, SOFT, check_method

        if self.aligns:
            for name in ("backward", "method"):
                if getattr(self, name) is not None:
                    raise DataError(
                        f"--{name} is for networks that translate, and {self.run} aligns in both "
                        "directions by itself: leave it out"
                    )
        elif self.fit:
            raise DataError(
                f"--fit is for a network that aligns, and {self.run} translates: leave it out"
            )
        elif self.backward is not None:
            _check_opposite(self.run, self.backward)
        elif self.symmetrization is not None:
            raise DataError("--symmetrization needs a second model: give --backward RUN")
        if self.symmetrization is not None:
            check_method(self.symmetrization, methods=(*SOFT, *METHODS))

    @cached_property
    def aligns(self) -> bool:
        """Whether the run is an aligner."""
        return ensembles.aligns(self.run)

    def links(self, pairs: Pairs) -> "Iterator[frozenset[Link]]":
        """Returns the links of each pair."""
        from nmt.inference.output import stream_both, stream_links, stream_symmetrized

        self.check()
        how: dict[str, Any] = {"threshold": self.threshold}
        if self.symmetrization is not None:
            how["symmetrization"] = self.symmetrization
        if self.aligns:
            if self.fit:
                pairs = list(pairs)  # they are read twice
            return stream_both(self._aligner(pairs), pairs, **how)
        forward = ensembles.translator(self.run, **self.model)
        if self.backward is None:
            return stream_links(forward, pairs, method=self.method, **how)
        backward = ensembles.translator(self.backward, **self.model)
        return stream_symmetrized(forward, backward, pairs, method=self.method, **how)

    def cross_validated(
        self, pairs: Sequence[tuple[str, str]], golden: "Sequence[GoldLinks]"
    ) -> "CrossValidation":
        """Returns links by what is best on the other half of the gold links.

        Raises:
            DataError: threshold and symmetrization are given, so that nothing is left to choose.
        """
        from nmt.evaluation.cross_validation import cross_validate
        from nmt.inference.alternatives import alternatives

        self.check()
        joined = self.aligns or self.backward is not None
        if self.threshold is not None and (self.symmetrization or not joined):
            raise DataError(
                "--cross-validate chooses what --threshold and --symmetrization would say, and "
                "nothing is left to choose; leave one of them out"
            )
        how: dict[str, Any] = {"symmetrization": self.symmetrization, "threshold": self.threshold}
        return cross_validate(alternatives(*self._matrices(pairs), **how), golden)

    def _aligner(self, pairs: Pairs) -> Any:
        """Returns the aligner, fitted to the pairs if this is wanted."""
        aligner = ensembles.aligner(self.run, **self.model)
        if not self.fit:
            return aligner
        from nmt.trained import opened
        from nmt.training.fitting import fitted

        return fitted(aligner, opened(self.run).config, list(pairs))

    def _matrices(
        self, pairs: Sequence[tuple[str, str]]
    ) -> "tuple[list[Translation], list[Translation] | None]":
        """Returns the matrices of all pairs, and those of the other direction if there is one."""
        if self.aligns:
            found = list(self._aligner(pairs).align_stream(pairs))
            return [each.forward for each in found], [each.backward for each in found]
        forward = ensembles.translator(self.run, **self.model)
        there = list(forward.align_stream(pairs, method=self.method))
        if self.backward is None:
            return there, None
        turned = [(target, source) for source, target in pairs]
        backward = ensembles.translator(self.backward, **self.model)
        return there, list(backward.align_stream(turned, method=self.method))


def _check_opposite(run: Path, backward: Path) -> None:
    """Checks that two runs translate in opposite directions, and count the same words."""
    if ensembles.aligns(backward):
        raise DataError(
            f"--backward takes a network that translates, and {backward} aligns in both "
            "directions by itself: give it as the run"
        )
    here, there = ensembles.data(run), ensembles.data(backward)
    if (here.source, here.target) != (there.target, there.source):
        raise DataError(
            f"{run} translates {here.source} to {here.target}, and {backward} {there.source} to "
            f"{there.target}; --backward takes a run from {here.target} to {here.source}"
        )
    if here.word_boundaries != there.word_boundaries:
        raise DataError(
            f"{run} has data.word_boundaries: {here.word_boundaries}, and {backward} "
            f"{there.word_boundaries}; edit the config.yaml of one, so that both count the same "
            "words"
        )
