"""What can be done in sense."""

from __future__ import annotations

from .flights import flight_for, make_flight
from .taking import forget_asset, take_in
from .uploading import LARGEST_PIECE, append, begin, drop, upload_of

__all__ = ["LARGEST_PIECE", "append", "begin", "drop", "flight_for", "forget_asset", "make_flight", "take_in", "upload_of"]
