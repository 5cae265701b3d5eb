"""What every part of the configuration is: immutable, and closed; and the numbers in it."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Size = Annotated[int, Field(ge=1)]
Count = Annotated[int, Field(ge=0)]
Fraction = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]


class Section(BaseModel):
    """A part of the configuration: immutable, and closed against unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)
