"""The bundle: what others need of a trained model to translate, and nothing else.

config.json        the format, the type of the parameters, and the settings that translation needs
model.safetensors  the parameters by name: see `nmt.weights`
tokenizer/         the SentencePiece models
shortlist.npz      the table for `decoding.shortlist`, if the run has one
README.md          the model card, with attention.png; no command reads them
"""

import dataclasses
import json
from pathlib import Path
from typing import Any, get_args

from nmt import configfile, version, weights
from nmt.checkpoints import Which
from nmt.config import Config, TextInputConfig
from nmt.config.migration import migrated
from nmt.config.storage import DType
from nmt.data import files
from nmt.data.tokenizers import Tokenizers
from nmt.errors import RunError
from nmt.trust import check_links
from nmt.types import Params

FORMAT = 1
CONFIG, WEIGHTS, TOKENIZER = "config.json", "model.safetensors", "tokenizer"

# The settings of `data` that translation needs; corpora stay behind, but for their tags.
KEPT = ("source", "target", "bleu_tokenizer", "max_length", "reverse_target", "word_boundaries")
TAGS = "tags"
INPUT = "input"  # a bundle of text has no such key
LEFT_OUT = "left out of the bundle"  # the path of its corpora


def is_bundle(path: Path) -> bool:
    """Returns whether a folder holds a bundle, and not a run.

    Raises:
        RunError: the folder may not be entered.
    """
    with files.reported(path, kind=RunError):
        return (path / CONFIG).is_file() and not (path / "config.yaml").exists()


@dataclasses.dataclass(frozen=True, eq=False)
class Bundle:
    """A folder with a bundle; it is read as a run folder is, and has no training state."""

    path: Path
    config: Config  # without corpora
    dtype: DType
    version: str  # of nmt, that made it

    @classmethod
    def open(cls, path: Path, *, within: Path | None = None) -> "Bundle":
        """Returns the bundle in a folder; its links lead to files in `within`, or in the folder.

        Raises:
            RunError: it is no bundle, or one of another format, or a link leads out of it.
            ConfigError: a setting in it cannot be used.
        """
        check_links(path, kind="bundle", within=within)
        file = path / CONFIG
        try:
            stored = json.loads(file.read_bytes())
            number = stored["format"]
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            raise RunError(f"{file}: not as `nmt export` writes it; get the bundle anew") from None
        if number != FORMAT:
            raise RunError(
                f"{file}: a bundle of format {number!r}, but this version of nmt reads format "
                f"{FORMAT}; update nmt, or have the bundle exported anew"
            )
        try:
            tree = _tree(stored)
            dtype, made_by = stored["dtype"], str(stored["nmt"])
        except (ValueError, TypeError, KeyError):
            raise RunError(f"{file}: not as `nmt export` writes it; get the bundle anew") from None
        if dtype not in get_args(DType):
            raise RunError(
                f"{file}: parameters as {dtype!r}, and this version of nmt reads "
                f"{', '.join(get_args(DType))}; update nmt"
            )
        return cls(path, configfile.validate(tree, where=str(file)), dtype, made_by)

    @classmethod
    def write(
        cls, path: Path, config: Config, tokenizers: Tokenizers, params: Params, *, dtype: DType
    ) -> "Bundle":
        """Writes a bundle into a new folder, without model card and shortlist.

        Raises:
            RunError: the type cannot hold the parameters.
            OSError: it cannot be written.
        """
        path.mkdir()
        settings = config.model_dump(mode="json", include={"model": True, "decoding": True})
        data = config.data.model_dump(mode="json", include=set(KEPT))
        if not isinstance(config.data.input, TextInputConfig):
            data[INPUT] = config.data.input.reading.model_dump(mode="json")
        head = {"format": FORMAT, "nmt": version.__version__, "dtype": dtype}
        stored = {**head, "data": {**data, TAGS: config.data.tags}, **settings}
        text = json.dumps(stored, indent=2, ensure_ascii=False)
        (path / CONFIG).write_text(f"{text}\n", encoding="utf-8")
        tokenizers.save(path / TOKENIZER)
        weights.write(path / WEIGHTS, params, dtype=dtype, tokenizer=tokenizers.fingerprint)
        return cls.open(path)

    def tokenizers(self) -> Tokenizers:
        """Returns the tokenizers of this bundle."""
        models = Tokenizers.load(self.path / TOKENIZER)
        return dataclasses.replace(models, reverse_target=self.config.data.reverse_target)

    def params(self, which: Which | int, template: Params) -> Params:
        """Returns the parameters with the structure, shapes and types of a template.

        Raises:
            RunError: they are not the best ones that are asked for, as a run has several; or they
                are of another model or tokenizer, or the file is damaged.
        """
        if which != "best":
            raise RunError(
                f"{self.path}: a bundle has one set of parameters, not checkpoint {which}; leave "
                "out --checkpoint"
            )
        return weights.read(
            self.path / WEIGHTS,
            template,
            dtype=self.dtype,
            tokenizer=self.tokenizers().fingerprint,
        )


def _tree(stored: dict[str, Any]) -> dict[str, Any]:
    """Returns the tree of a configuration, with corpora that cannot be read.

    Raises:
        ValueError: `data` has a key that no bundle has, or other tags than a list of strings.
    """
    data = dict(stored["data"])
    tags = data.pop(TAGS)
    are_strings = isinstance(tags, list) and all(isinstance(tag, str) for tag in tags)
    if data.keys() - {*KEPT, INPUT} or not are_strings:
        raise ValueError
    corpora = [{"path": LEFT_OUT, "source_tag": tag} for tag in tags]
    first, *_ = corpora = corpora or [{"path": LEFT_OUT}]
    data |= {"train": corpora, "validation": first}
    return migrated({"data": data, "model": stored["model"], "decoding": stored["decoding"]})
