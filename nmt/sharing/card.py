"""The model card of a bundle: README.md, with the metadata that the Hugging Face hub reads."""

import os
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from huggingface_hub import EvalResult, ModelCardData

from nmt.bundle import Bundle
from nmt.config import Config, CorpusConfig, TextInputConfig
from nmt.config.corpora import EMBEDDED
from nmt.evaluation.metrics import MetricScore
from nmt.hub import PICTURE, PREFIX
from nmt.sharing import wording
from nmt.sharing.wording import Wording

NAME = "README.md"
_CODE = re.compile(r"[a-z]{2,3}(?![a-z])")  # ISO 639, at the beginning of `de`, `zh-TW`, `zho_Hans`
_ON_THE_HUB = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True)
class Given:
    """What only its author can tell of a model; None is left out of the card."""

    name: str  # by which it is loaded: `hf:USER/NAME`, or that of the folder
    license: str | None = None
    trained_on: str | None = None
    sentence: str | None = None  # that the picture shows, and the example translates
    test: bool = False  # whether data.test is translated and scored

    @property
    def title(self) -> str:
        """The name of the model without `hf:`."""
        return self.name.removeprefix(PREFIX)


@dataclass(frozen=True)
class Scored:
    """A score on a corpus of the configuration."""

    part: str  # validation or test
    corpus: CorpusConfig
    how: str  # the text was translated
    score: MetricScore


@dataclass(frozen=True)
class Facts:
    """What the files of a run tell."""

    config: Config
    bundle: Bundle
    parameters: int
    updates: int
    time: timedelta
    scores: Sequence[Scored]
    example: str | None  # the sentence of the picture, or the caption

    @property
    def wording(self) -> Wording:
        """The words for its kind of sources."""
        return wording.of(self.config)


def text(given: Given, facts: Facts) -> str:
    """Returns the whole card, in Markdown."""
    sections = [
        f"---\n{_metadata(given, facts).to_yaml()}\n---",
        f"# {given.title}",
        f"{facts.wording.described} Made with nmt {facts.bundle.version}.",
        *_usage(given, facts),
        *_scores(facts),
        *_picture(facts),
        "## Facts",
        "\n".join(f"- **{name}**: {value}" for name, value in _facts(given, facts)),
    ]
    return "\n\n".join(sections) + "\n"


def described(corpus: CorpusConfig) -> str:
    """Returns the name of a corpus without the folders that it lies in."""
    if corpus.hub is not None and _is_on_the_hub(corpus.hub):
        return "/".join(filter(None, (corpus.hub, corpus.subset, corpus.split)))
    if corpus.path in EMBEDDED:
        kind = "embedded corpus" if corpus.path == "embedded" else "embedded scenes"
        return f"{kind} of nmt ({corpus.split})"
    names = filter(None, (corpus.path, corpus.source, corpus.target, corpus.hub))
    return " and ".join(Path(name).name for name in names)


def _is_on_the_hub(name: str) -> bool:
    return _ON_THE_HUB.fullmatch(name) is not None and not os.path.exists(name)


def _metadata(given: Given, facts: Facts) -> ModelCardData:
    data = facts.config.data
    names = data.languages if isinstance(data.input, TextInputConfig) else [data.target]
    codes = filter(None, map(_CODE.match, names))
    hubs = [each.hub for each in data.corpora if each.hub and _is_on_the_hub(each.hub)]
    results = [_result(each, facts) for each in facts.scores]
    return ModelCardData(
        language=list(dict.fromkeys(code[0] for code in codes)) or None,
        license=given.license,
        library_name="nmt",
        pipeline_tag=facts.wording.task,
        tags=[facts.wording.tag, "attention", "recurrent"],
        datasets=hubs or None,
        metrics=list(dict.fromkeys(each.metric_type for each in results)) or None,
        model_name=given.title if results else None,
        eval_results=results or None,
    )


def _result(scored: Scored, facts: Facts) -> EvalResult:
    """Returns a score as the metadata has it."""
    name = described(scored.corpus)
    return EvalResult(
        task_type=facts.wording.task,
        task_name=facts.wording.named,
        dataset_type=name,
        dataset_name=name,
        dataset_split=scored.part,
        metric_type="bleu" if scored.score.name == "BLEU" else "chrf",
        metric_value=round(scored.score.value, 2),
        metric_name=f"{scored.score.name} ({scored.how})",
        metric_args={"signature": scored.score.signature},
    )


def _usage(given: Given, facts: Facts) -> Iterator[str]:
    code = facts.wording.use.replace("NAME", repr(given.name), 1)
    yield "## Use"
    yield f"```python\nimport nmt\n\n{code.replace('SENTENCE', repr(facts.example or '...'))}\n```"
    yield f"or, in a shell, `nmt {facts.wording.shell.replace('NAME', shlex.quote(given.name))}`."
    if (imported := facts.config.model.attention.imported) is not None:
        yield (
            f"The model needs the class `{imported}`, which is not in this repository. Read its "
            "code, install it, and then give `trust=True`, or `--trust`."
        )


def _scores(facts: Facts) -> Iterator[str]:
    if facts.scores:
        yield "## Scores"
        rows = ["| text | score | value | signature of sacreBLEU |", "|---|---|---|---|"]
        rows += [
            f"| {each.part}: {_cell(described(each.corpus))} ({each.how}) | {each.score.name} | "
            f"{each.score.value:.2f} | `{_cell(each.score.signature)}` |"
            for each in facts.scores
        ]
        yield "\n".join(rows)


def _cell(text: str) -> str:
    """Returns text for a table, in which a bar ends a cell, even within code."""
    return text.replace("|", r"\|")


def _picture(facts: Facts) -> Iterator[str]:
    if facts.example is not None:
        yield "## Attention"
        yield f"![{facts.wording.shown}]({PICTURE})"


def _facts(given: Given, facts: Facts) -> Iterator[tuple[str, str]]:
    config, tokenizers = facts.config, facts.bundle.tokenizers()
    model, attention = config.model, config.model.attention
    score = getattr(attention, "score", None)
    yield (
        "Model",
        f"{model.encoder.kind} encoder, {model.decoder.kind} decoder, {model.cell.kind.upper()} "
        f"cells; {attention.mechanism} attention"
        + (f", {score} score" if score else "")
        + ("; a guided head aligns" if model.guided_head else ""),
    )
    yield "Parameters", f"{facts.parameters:,}, stored as {facts.bundle.dtype}"
    pieces = f"{tokenizers.source.size:,} pieces"
    if not tokenizers.joint:
        pieces += f" of the source, {tokenizers.target.size:,} of the target"
    yield "Vocabulary", pieces
    corpora = ", ".join(map(described, config.data.corpora))
    cleaned = "cleaned, " if config.data.clean else ""
    yield "Training data", f"{given.trained_on or corpora} ({cleaned}{facts.wording.limit})"
    yield "Training", f"{facts.updates:,} updates" + _duration(facts.time)
    if given.license is not None:
        yield "License", given.license


def _duration(time: timedelta) -> str:
    minutes = round(time.total_seconds() / 60)
    if not time:
        return ""
    hours = f"{minutes // 60} h " if minutes >= 60 else ""
    return f" in {hours}{minutes % 60} min" if minutes else " in less than a minute"
