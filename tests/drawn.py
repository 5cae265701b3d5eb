"""Sources that are pictures: each letter of a line is a cell of its color, others are black."""

import json

import numpy as np
import PIL.Image

CELL, SIDE = 4, 12  # pixels: nine cells
INPUT = {"kind": "pictures", "height": SIDE, "width": SIDE, "cell": CELL}
COLORS = np.array(np.meshgrid([60, 250], [60, 250], [60, 250])).reshape(3, 8).T
MODEL = {
    "embedding_size": 6,
    "encoder": {"kind": "conv", "channels": [4, 6], "depth": 1, "annotation_size": 8},
    "decoder": {"hidden_size": 8},
    "dropout": 0.2,
}


def drawn(line):
    """Returns the picture of a line of at most nine letters from a to h."""
    pixels = np.zeros((SIDE, SIDE, 3), np.uint8)
    for place, letter in enumerate(line.split()):
        y, x = divmod(place, SIDE // CELL)
        block = np.s_[y * CELL : (y + 1) * CELL, x * CELL : (x + 1) * CELL]
        pixels[block] = COLORS["abcdefgh".index(letter)]
    return PIL.Image.fromarray(pixels)


def write(folder, name, lines):
    """Writes pictures, and NAME.jsonl, which names them and their lines; returns its path."""
    (folder / name).mkdir(parents=True)
    rows = []
    for number, line in enumerate(lines):
        drawn(line).save(folder / name / f"{number}.png")
        rows.append({"image": f"{name}/{number}.png", "en": line})
    path = folder / f"{name}.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return str(path)


def tree(run, folder, *, lines, validation, input=(), **training):
    """Returns the tree of a configuration that reads pictures of these lines."""
    return {
        "run": str(run),
        "data": {
            "source": "image",
            "input": {**INPUT, **dict(input)},
            "train": write(folder, "train", lines),
            "validation": write(folder, "validation", validation),
            "batch": {"sentences": 8, "buckets": 1},
        },
        "tokenizer": {"vocabulary_size": 14, "byte_fallback": False},
        "model": MODEL,
        "training": {"attention_images": 0, **training},
        "decoding": {"batch": 8},
    }
