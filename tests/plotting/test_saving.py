from concurrent.futures import ThreadPoolExecutor

import matplotlib
import numpy as np
import pytest

from nmt import plotting
from nmt.errors import UserError

SOURCE = ["The", "cat", "sat"]
TARGET = ["Die", "Katze", "saß", "."]
WEIGHTS = np.linspace(0, 1, 12, dtype=np.float32).reshape(4, 3)


@pytest.mark.parametrize(
    ("name", "magic"),
    [("a.png", b"\x89PNG\r\n"), ("a.svg", b"<?xml"), ("a.pdf", b"%PDF-"), ("a.b.PNG", b"\x89PNG")],
)
def test_the_ending_decides_the_file_type_and_bytes_repeat(tmp_path, name, magic):
    (tmp_path / "again").mkdir()

    for folder in (tmp_path, tmp_path / "again"):
        plotting.save(plotting.heatmap(WEIGHTS, source=SOURCE, target=TARGET), folder / name)

    written = (tmp_path / name).read_bytes()
    assert written.startswith(magic)
    assert written == (tmp_path / "again" / name).read_bytes()


def test_threads_get_the_same_bytes_and_leave_the_settings_as_they_were(tmp_path):
    def drawn(number):
        figure = plotting.heatmap(WEIGHTS, source=SOURCE, target=TARGET)
        plotting.image(figure)
        plotting.save(figure, tmp_path / f"{number}.svg")
        return (tmp_path / f"{number}.svg").read_bytes()

    before = dict(matplotlib.rcParams)
    with ThreadPoolExecutor(6) as threads:
        assert len(set(threads.map(drawn, range(24)))) == 1

    assert dict(matplotlib.rcParams) == before


def test_an_image_has_the_size_of_its_figure_whatever_the_settings_of_files():
    figure = plotting.heatmap(WEIGHTS, source=SOURCE, target=TARGET)

    with matplotlib.rc_context({"savefig.bbox": "tight"}):
        found = plotting.image(figure)

    width, height = map(int, figure.get_size_inches() * figure.dpi)
    assert found.shape == (height, width, 3)


@pytest.mark.parametrize("name", ["figure.jpg", "figure", "png"])
def test_another_ending_is_refused(tmp_path, name):
    figure = plotting.charts({"loss": {"a": ([1.0], [1.0])}})

    with pytest.raises(UserError, match=rf"{name}: a figure is written as .png, .svg or .pdf"):
        plotting.save(figure, tmp_path / name)


def test_a_figure_too_large_for_pixels_is_refused_before_it_is_drawn(tmp_path):
    figure = plotting.heatmap(WEIGHTS, source=SOURCE, target=TARGET)
    figure.set_size_inches(400, 1)

    with pytest.raises(
        UserError, match=r"map.png: 80000 x 200 pixels are too many for a PNG; draw"
    ):
        plotting.save(figure, tmp_path / "map.png")


def test_a_folder_that_is_not_there_is_named(tmp_path):
    figure = plotting.charts({"loss": {"a": ([1.0], [1.0])}})

    with pytest.raises(UserError, match=r"absent.figure.png: cannot be written \(No such file"):
        plotting.save(figure, tmp_path / "absent" / "figure.png")


def test_an_image_has_the_pixels_of_the_figure():
    figure = plotting.heatmap(WEIGHTS, source=SOURCE, target=TARGET)

    pixels = plotting.image(figure)

    width, height = figure.get_size_inches() * figure.dpi
    assert pixels.shape == (int(height), int(width), 3)
    assert pixels.dtype == np.uint8
    np.testing.assert_array_equal(pixels[[0, 0, -1, -1], [0, -1, 0, -1]], 255)
