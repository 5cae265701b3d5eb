"""Coverage-guided fuzzing: any bytes give a value or one of our own errors, and nothing else.

`make fuzz` runs each target for a minute; `python tests/fuzz/fuzz.py TARGET` one without end, with
the options of libFuzzer. What is found becomes a case of an ordinary test.
"""

import contextlib
import gzip
import sys
import tempfile
import warnings
from pathlib import Path

import atheris
import jax.numpy as jnp
from sentencepiece.sentencepiece_model_pb2 import ModelProto

with atheris.instrument_imports(include=["nmt", "yaml"]):
    from nmt import arrays, configfile
    from nmt.config import SamplingConfig, TrainedTokenizerConfig
    from nmt.data import files, tabular, tokenizer_training
    from nmt.data.tokenizer import Tokenizer
    from nmt.errors import UserError
    from nmt.evaluation import pharaoh

FOLDER = Path(tempfile.mkdtemp(prefix="fuzz-"))
CONFIG = "data: {train: a, validation: [a.de, a.en], source: de}\nmodel: {dropout: 1e-1}\n"


def written(data, name):
    path = FOLDER / name
    path.write_bytes(data)
    return path


def config(data):
    loaded = configfile.load(written(data, "config.yaml"))
    again = configfile.load(written(configfile.dump(loaded).encode(), "dumped.yaml"))
    assert configfile.dump(again) == configfile.dump(loaded)


def override(data):
    configfile.load(written(CONFIG.encode(), "config.yaml"), [data.decode(errors="replace")])


def text(data):
    list(files.lines(written(data, "text")))


def gzipped(data):
    list(files.lines(written(data, "text.gz"), replace=True))


def tsv(data):
    list(tabular.tab_separated(written(data, "text.tsv"), columns=None))


def json(data):
    list(tabular.json_objects(written(data, "text.json"), columns=("de", "en")))


def links(data):
    list(pharaoh.read_links(files.lines(written(data, "links")), name="links"))


def gold(data):
    lines = list(files.lines(written(data, "gold")))
    pharaoh.read_gold(lines, name="gold", source_lines=lines, target_lines=lines)


def model(data):
    loaded = Tokenizer(data)
    for ids in loaded.sample_batch(["Ein Hund."], sampling=SamplingConfig(), seed=1):
        loaded.decode([*ids, *loaded.encode("Ein Hund.")])


def tree():
    return {"step": jnp.array(3), "weights": {"half": jnp.ones(2, jnp.bfloat16)}}


def checkpoint(data):
    """The arrays of a checkpoint, which digests protect from accidents alone."""
    for name in ("params", "rest"):
        found = arrays.read(written(data, f"{name}.safetensors"), tree())
        assert found["weights"]["half"].shape == (2,)


def checkpoints():
    for each in (tree(), {"step": jnp.array(3)}):
        arrays.write(FOLDER / "whole", each)
        yield (FOLDER / "whole").read_bytes()


def models():
    text = ["ein alter Hund", "eine alte Katze", "das kleine Kind"] * 9
    for kind in ("unigram", "bpe"):
        config = TrainedTokenizerConfig(kind=kind, vocabulary_size=24, byte_fallback=False)
        proto = ModelProto.FromString(tokenizer_training.train(text, text, config).source._model)
        proto.normalizer_spec.precompiled_charsmap = b""  # most of the bytes
        yield proto.SerializeToString()


TARGETS = {  # and what they start from
    config: [
        CONFIG.encode(),
        b"data: &a {train: [a, b], validation: c}\n<<: *a\nseed: !!int 0x1\nrun: !!str 1",
        b"? data\n: train: {path: a, columns: [b, c]}\nseed: 1_0",
        b"data: {train: a, validation: b}\nmodel: {attention: {score_options: {c: .nan}}}",
    ],
    override: [b"model.dropout=0.2", b"data.train=[a, b]", b"tokenizer.sampling.alpha=!!float .5"],
    text: ["ein Hund\r\n\u2028\n".encode()],
    gzipped: [gzip.compress(b"ein Hund\n")],
    tsv: [b"ein Hund\ta dog\n"],
    json: [
        b'[{"translation": {"de": "ein", "en": "a"}}]\n',
        b'{"de": "\\ud83d\\ude00", "en": 1e5}\n',
    ],
    links: [b"0-0 1-2\n\n"],
    gold: [b"0-0 1p2\n\n"],
    model: list(models()),
    checkpoint: list(checkpoints()),
}


def main():
    """Fuzzes the target that the first argument names."""
    warnings.simplefilter("ignore")
    name, *options = sys.argv[1:]
    (target,) = (each for each in TARGETS if each.__name__ == name)

    def try_once(data):
        with contextlib.suppress(UserError):
            target(data)

    seeds = FOLDER / "seeds"
    seeds.mkdir()
    for number, seed in enumerate(TARGETS[target]):
        (seeds / str(number)).write_bytes(seed)
    atheris.Setup([sys.argv[0], str(seeds), "-max_len=4096", *options], try_once)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
