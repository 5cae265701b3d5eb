"""Pictures of attention and of training, ready for a paper; they work without a display.

Matplotlib takes a third of a second to import, so each function does it only when called.
"""

from nmt.plotting.charts import charts
from nmt.plotting.files import check_ending, image, save
from nmt.plotting.heatmaps import Panel, grid, heatmap, panel, plot_alignment, wrapped
from nmt.plotting.page import page

__all__ = [
    "Panel",
    "charts",
    "check_ending",
    "grid",
    "heatmap",
    "image",
    "page",
    "panel",
    "plot_alignment",
    "save",
    "wrapped",
]
