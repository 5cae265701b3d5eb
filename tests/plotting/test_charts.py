import numpy as np

from nmt import plotting


def test_curves_show_each_series_under_its_name():
    series = {"training": ([100, 200, 300], [4.0, 3.0, 2.5]), "validation": ([200], [3.2])}
    series |= {"_old": ([100], [3.0]), "$x$": ([100], [2.0])}

    axes = plotting.charts({"nll per token": series}).axes[0]

    drawn = {line.get_label(): (*map(list, line.get_data()),) for line in axes.lines}
    assert drawn == series
    assert [text.get_text() for text in axes.get_legend().get_texts()] == list(series)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("step", "nll per token")


def test_a_curve_of_one_point_is_seen():
    nothing, point = (
        plotting.image(plotting.charts({"loss": {"a": ([1.0], [value])}}))
        for value in (float("nan"), 1.0)
    )

    # The legend is blue in both.
    blue = np.array([0x00, 0x72, 0xB2])
    assert (point == blue).all(axis=2).sum() > (nothing == blue).all(axis=2).sum()


def test_a_name_has_one_colour_in_all_charts():
    one, two = ([1.0, 2.0], [3.0, 1.0]), ([1.0, 2.0], [0.5, 0.1])

    figure = plotting.charts({"loss": {"a": one}, "BLEU": {"b": two, "a": one}}, log=["BLEU"])

    loss, bleu = figure.axes
    colors = {line.get_label(): line.get_color() for line in bleu.lines}
    assert colors["a"] == loss.lines[0].get_color() != colors["b"]
    assert [axes.get_ylabel() for axes in figure.axes] == ["loss", "BLEU"]
    assert (loss.get_yscale(), bleu.get_yscale()) == ("linear", "log")
