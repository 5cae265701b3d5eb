"""Sources of vectors: letters, each of which is always the same vector with a little noise."""

import numpy as np

SIZE = 12
LETTERS = "abcdefgh"
VECTORS = np.random.default_rng(5).normal(size=(len(LETTERS), SIZE)).astype(np.float32)


def spoken(line, *, seed):
    """Returns the vectors of the letters of a line, (letters, SIZE)."""
    numbers = [LETTERS.index(letter) for letter in line.split()]
    noise = np.random.default_rng([seed, *numbers]).normal(0, 0.1, (len(numbers), SIZE))
    return (VECTORS[numbers] + noise).astype(np.float32)


def write(folder, name, lines):
    """Writes NAME.npz and NAME.txt; returns the form in which a configuration names them."""
    arrays = {f"row{i}": spoken(line, seed=i) for i, line in enumerate(lines)}
    np.savez(folder / f"{name}.npz", **arrays)
    (folder / f"{name}.txt").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return {"source": str(folder / f"{name}.npz"), "target": str(folder / f"{name}.txt")}
