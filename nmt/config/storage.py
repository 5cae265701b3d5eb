"""The types that the parameters of a shared model can be stored in."""

from typing import Literal

DType = Literal["float32", "float16", "int8"]
