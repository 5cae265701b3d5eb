"""Pictures of attention and of training, ready for a paper; they need no display.

Importing matplotlib takes a third of a second, so each function imports it only when it is called.
"""

from nmt.plotting.charts import charts
from nmt.plotting.files import check_ending, image, save
from nmt.plotting.heatmaps import Panel, grid, heatmap, panel, plot_alignment, wrapped
from nmt.plotting.overlays import Overlay, overlay, overlays
from nmt.plotting.page import page
from nmt.plotting.picture_page import picture_page

__all__ = ["Overlay", "Panel", "charts", "check_ending", "grid", "heatmap", "image", "overlay"]
__all__ += ["overlays", "page", "panel", "picture_page", "plot_alignment", "save", "wrapped"]
