"""Pictures for tests, cut into cells by plain loops."""

import numpy as np

CELL, GRID = 4, (2, 3)


def pictures(number, seed=0):
    """Returns random pictures: (number, height, width, 3), uint8."""
    shape = (number, GRID[0] * CELL, GRID[1] * CELL, 3)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def cut(picture):
    """Returns the cells of a picture in reading order, each as one vector of its pixels."""
    cells = []
    for row in range(GRID[0]):
        for column in range(GRID[1]):
            top, left = row * CELL, column * CELL
            cells.append(picture[top : top + CELL, left : left + CELL].reshape(-1))
    return np.array(cells)
