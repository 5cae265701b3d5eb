"""The names of the methods of explanation, which `nmt.inference.explanations` defines.

The commands, whose help has them, start without jax.
"""

METHODS = (
    "attention",
    "shifted",
    "saliency",
    "saliency_input",
    "smoothed",
    "jacobian",
    "projected_jacobian",
)
GUIDED = "guided"  # the method that not every model has
