"""Corpora whose words are known one by one, and networks that align them after seconds."""

import random

from tiny import tree, write_side_by_side

RENAMED = dict(zip("abcdefgh", "stuvwxyz", strict=True))


def pairs(count, *, seed, least=2):
    """Returns lines of up to six different letters, their shuffled translations, and the links."""
    draw, found = random.Random(seed), []
    for _ in range(count):
        words = draw.sample("abcdefgh", k=draw.randint(least, 6))
        order = draw.sample(range(len(words)), k=len(words))
        target = " ".join(RENAMED[words[place]] for place in order)
        links = frozenset((source, place) for place, source in enumerate(order))
        found.append((" ".join(words), target, links))
    return found


def write(folder, name, lines):
    """Writes both sides of pairs as one part of a corpus."""
    write_side_by_side(folder, name, *([line[side] for line in lines] for side in (0, 1)))


def settings(run, corpus, *, aligner=(), sentences=50, vocabulary=37, **training):
    """Returns the tree of the configuration of an aligner."""
    settings = tree(run, corpus, sentences=sentences, vocabulary=vocabulary, **training)
    del settings["model"]
    settings["training"] = {"metric": "perplexity", **settings["training"]}
    return settings | {"aligner": {"embedding_size": 16, "hidden_size": 8, **dict(aligner)}}


def learned(folder):
    """Trains a network that aligns renamed and shuffled letters; returns the run folder."""
    from nmt import configfile
    from nmt.training.session import train

    write(folder, "train", pairs(400, seed=1))
    write(folder, "val", pairs(60, seed=2, least=6))  # of one length, for one shape of a batch
    given = {
        "learning_rate": 2e-2,
        "max_steps": 60,
        "max_epochs": None,
        "validate_every": 20,
        "keep": 2,
        "attention_images": 1,
    }
    return train(configfile.validate(settings(folder / "run", folder, **given))).path
