"""Corpora of letters, and the configuration of networks that train on them in seconds."""

import random
from pathlib import Path


def write_side_by_side(folder, name, source, target):
    """Writes one part of a corpus."""
    for language, lines in {"de": source, "en": target}.items():
        (folder / f"{name}.{language}").write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_corpus(folder):
    """Writes 60 pairs to train on, eight batches, and six to validate with; returns the folder.

    Those to validate with have the same number of pieces, so that one shape is compiled for them.
    """
    draw = random.Random(0)
    lines = ["".join(draw.choices("abcdef", k=draw.randint(2, 6))) for _ in range(60)]
    same = ["".join(draw.choices("abde", k=4)) for _ in range(6)]
    for name, part in {"train": lines, "val": same}.items():
        write_side_by_side(folder, name, part, part)
    return folder


def letters(count, *, longest, seed, least=1):
    """Returns lines of up to so many letters, each a word.

    Lines of the same number are of one shape, to be compiled once.
    """
    draw = random.Random(seed)
    return [
        " ".join(draw.choices("abcdefgh", k=draw.randint(least, longest))) for _ in range(count)
    ]


def tree(
    run, corpus, *, sentences=8, vocabulary=14, sizes=(6, 5, 7), dropout=0.2, model=(), **training
):
    """Returns the tree of a configuration; `sizes` are of embedding, encoder and decoder."""
    embedding, encoder, decoder = sizes
    options = dict(model)
    return {
        "run": str(run),
        "data": {
            "train": str(corpus / "train"),
            "validation": str(corpus / "val"),
            "batch": {"sentences": sentences, "buckets": 1},
        },
        "tokenizer": {"vocabulary_size": vocabulary, "byte_fallback": False},
        "model": {
            "embedding_size": embedding,
            "encoder": {"hidden_size": encoder},
            "decoder": {"hidden_size": decoder, **options.pop("decoder", {})},
            "dropout": dropout,
            **options,
        },
        "training": {"attention_images": 0, **training},
        "decoding": {"batch": 8},
    }


def changed_run(run, folder, change=lambda leaf: leaf, *, tokenizers=None, **data):
    """Makes a run folder of another one's model, with other parameters, vocabulary or data."""
    import dataclasses

    import jax

    from nmt.model.build import outline
    from nmt.run import Run

    old = Run.open(run)
    _, template = outline(old.config, old.tokenizers())
    params = old.restore("best", {"params": template})["params"]
    settings = old.config.data.model_copy(update=data)
    new = Run(folder, old.config.model_copy(update={"data": settings}))
    new.create(tokenizers or old.tokenizers())
    progress = dataclasses.replace(old.progress("best"), tokenizer=new.tokenizers().fingerprint)
    new.save("best", {"params": jax.tree.map(change, params)}, progress)
    return folder


def untrained_run(settings, texts):
    """Makes the run folder of a model of random parameters that writes pieces of the texts."""
    import jax
    import numpy as np

    from nmt import configfile
    from nmt.checkpoints import TrainingProgress
    from nmt.data import tokenizer_training
    from nmt.model.build import outline
    from nmt.run import Run

    config = configfile.validate(settings)
    run = Run(Path(settings["run"]), config)
    run.create(tokenizer_training.train([], texts, config.tokenizer))
    rng = np.random.default_rng(0)
    _, shapes = outline(config, run.tokenizers())
    params = jax.tree.map(lambda leaf: rng.normal(0, 0.5, leaf.shape).astype(np.float32), shapes)
    run.save("best", {"params": params}, TrainingProgress(tokenizer=run.tokenizers().fingerprint))
    return run.path
