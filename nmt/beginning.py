"""A first configuration for a corpus, with comments that say why: what `nmt init` writes."""

from collections.abc import Iterator, Mapping

from nmt import yamltext
from nmt.config import CorpusConfig, TrainedTokenizerConfig
from nmt.data.survey import Survey
from nmt.recipes import RESERVED, Recipe, Schedule, long_pieces, max_length, reach, recipe

# The fraction of pairs from which on cleaning is suggested; above the second, they are meant so.
UNCLEAN = (0.01, 0.5)
FEW = 1_000  # pairs, of which cleaning would leave too few
AVERAGED = 1_000  # updates, about, of which `ema: 0.999` is the mean
LONG = 4 * AVERAGED  # updates; with fewer, this would be the mean of most of the training
PATIENCE = 10


def configuration(
    found: Survey,
    pieces: TrainedTokenizerConfig,
    *,
    languages: tuple[str, str],
    corpora: Mapping[str, CorpusConfig],
    name: str,
    small: bool = False,
) -> str:
    """Returns the YAML of a configuration in which comments say why.

    Args:
        found: What the training corpus is like.
        pieces: The settings of its tokenizer.
        languages: The codes of source and target.
        corpora: The files of each corpus: `train`, `validation` and perhaps `test`.
        name: The name of the file, for the command in its head.
        small: Whether a computer without a GPU is to train it.
    """
    chosen = recipe(found.pairs, small=small)
    schedule = Schedule.of(found, chosen)
    named = "\n".join(f"  {key}: {yamltext.inline(_short(each))}" for key, each in corpora.items())
    return f"""\
# {" to ".join(languages)}: written by `nmt init` for {found.pairs:,} pairs; edit it as you like.
#
#   nmt train {name}
#
# All keys: `nmt config --markdown`.
data:
  source: {yamltext.inline(languages[0])}
  target: {yamltext.inline(languages[1])}
{named}
{_special(found)}\
  max_length: {max_length(found, pieces.vocabulary_size)}  # pieces; 99 of 100 lines have at most \
{found.source.long_words} and {found.target.long_words} words
  batch: {{sentences: {schedule.sentences}}}  # about {chosen.batch:,} pieces, for {reach(chosen)}

{_tokenizer(found, chosen, pieces)}
{_model(chosen, joint=pieces.joint)}
{_training(chosen, schedule)}"""


def warnings(found: Survey, pieces: TrainedTokenizerConfig) -> Iterator[str]:
    """Yields why scores of validation would mean little, and that long lines are left out."""
    if not _unclean(found) and found.known / found.validation >= UNCLEAN[0]:
        yield (
            f"{found.known:,} of {found.validation:,} pairs of validation have a side that "
            "training has, so scores say little of other text; choose other pairs to validate with"
        )
    long = long_pieces(found, pieces.vocabulary_size)
    if long > (most := max_length(found, pieces.vocabulary_size)):
        yield (
            f"lines may have up to {long:,.0f} pieces, and training leaves out those of more than "
            f"{most}; divide them into sentences, or set a larger data.max_length"
        )


def _short(corpus: CorpusConfig) -> object:
    """Returns the files of a corpus in the shortest form that a configuration has."""
    if corpus.columns is not None:
        return {"path": corpus.path, "columns": list(corpus.columns)}
    return corpus.path or [corpus.source, corpus.target]


def _tokenizer(found: Survey, chosen: Recipe, pieces: TrainedTokenizerConfig) -> str:
    size = pieces.vocabulary_size
    return f"""\
tokenizer:
  kind: unigram
  vocabulary_size: {size if isinstance(size, int) else list(size)}  # {_about_size(chosen, pieces)}
  joint: {str(pieces.joint).lower()}  # {_about_scripts(found)}
{_normalization(pieces)}\
{_coverage(found, pieces)}"""


def _model(chosen: Recipe, *, joint: bool) -> str:
    tied, table = ("all", "source, target") if joint else ("target", "target")
    return f"""\
model:
  embedding_size: {chosen.embedding}
  encoder: {{hidden_size: {chosen.encoder}}}
  decoder: {{kind: luong, hidden_size: {chosen.decoder}{_feeding(chosen)}}}
  dropout: {_dropout(chosen)}  # with less text more: for {reach(chosen)}
  tied_embeddings: {tied}  # fewer parameters: one table for {table} and output
"""


def _training(chosen: Recipe, schedule: Schedule) -> str:
    return f"""\
training:
  learning_rate: {chosen.rate}
  schedule: {{kind: cosine, warmup_steps: {schedule.warmup}}}  # falls to zero at the last update
  label_smoothing: 0.1
{_mean(schedule)}\
  max_epochs: {schedule.epochs}  # of {schedule.batches:,} batches: {schedule.updates:,} updates
  validate_every: {schedule.validate_every}  # updates
  patience: {PATIENCE}  # validations without a better BLEU, after which training stops early
"""


def _feeding(chosen: Recipe) -> str:
    return "" if chosen.input_feeding else ", input_feeding: false"


def _dropout(chosen: Recipe) -> str:
    if not chosen.words:
        return str(chosen.dropout)
    of_words = f"source_words: {chosen.words}, target_words: {chosen.words}"
    return f"{{rate: {chosen.dropout}, {of_words}}}"


def _mean(schedule: Schedule) -> str:
    """Returns the line of `ema`, where its mean is of the end of the training alone."""
    if schedule.updates < LONG:
        return ""
    return f"  ema: 0.999  # translates with the mean of about the last {AVERAGED:,} updates\n"


def _special(found: Survey) -> str:
    """Returns the lines of `data` that only some corpora need."""
    lines = []
    if reason := _unclean(found):
        lettered = all(side.script for side in (found.source, found.target))
        rules = "true" if lettered else "{min_letters: 0}"
        lines.append(f"  clean: {rules}  # {reason}; `nmt clean` shows what is left out\n")
    if found.source.unspaced or found.target.unspaced:
        lines.append("  word_boundaries: unicode  # words are divided by spaces of any kind\n")
    return "".join(lines)


def _unclean(found: Survey) -> str:
    """Returns why a corpus should be cleaned, nothing if there is no sign of it."""
    least, most = UNCLEAN
    odd = (found.empty + found.identical) / (found.pairs + found.empty)
    if found.pairs < FEW or odd > most:
        return ""
    if odd >= least:
        return f"{found.empty:,} pairs have an empty side, {found.identical:,} are not translated"
    if least <= found.known / found.validation <= most:
        return f"{found.known:,} of {found.validation:,} pairs of validation are in training"
    return ""


def _about_size(chosen: Recipe, pieces: TrainedTokenizerConfig) -> str:
    sizes = pieces.vocabulary_size
    least = min(sizes) if isinstance(sizes, tuple) else sizes
    if least < chosen.vocabulary:
        return "the text gives few more"
    if sizes in (chosen.vocabulary, (chosen.vocabulary,) * 2):
        return f"with less text fewer, each seen more often: for {reach(chosen)}"
    return f"the characters, {RESERVED} others, and {chosen.vocabulary // 2:,} longer ones or more"


def _about_scripts(found: Survey) -> str:
    names = [side.script_name for side in (found.source, found.target)]
    return f"both are in {names[0]}" if names[0] == names[1] else " and ".join(names)


def _normalization(pieces: TrainedTokenizerConfig) -> str:
    if pieces.normalization == "identity":
        return ""
    return (
        f"  normalization: {pieces.normalization}  # some characters can be written in two ways\n"
    )


def _coverage(found: Survey, pieces: TrainedTokenizerConfig) -> str:
    if pieces.character_coverage == 1:
        return ""
    distinct = found.source.distinct, found.target.distinct
    return (
        f"  character_coverage: {pieces.character_coverage}  # of {distinct[0]:,} and "
        f"{distinct[1]:,} characters the rarest are written as bytes\n"
    )
