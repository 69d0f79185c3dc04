"""What the door keeps."""

from .partners import Direction, Mapping, Mirror, Partner, Push, Run, SeenUpdate, Use
from .public import HiddenType, MediaFetch, Opening, Publication, PublishedPhoto, TakenUpdate

__all__ = [
    "Direction",
    "HiddenType",
    "Mapping",
    "MediaFetch",
    "Mirror",
    "Opening",
    "Partner",
    "Publication",
    "PublishedPhoto",
    "Push",
    "Run",
    "SeenUpdate",
    "TakenUpdate",
    "Use",
]
