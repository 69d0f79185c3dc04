"""What changes in what we keep of WeCom. Others call these names only."""

from .contacts import apply_change, begin_sync, end_sync, store_page, store_units
from .matching import match, match_suggested, tie, unmatch
from .taps import follow, forget_cards, mark_drawn, tap

__all__ = [
    "apply_change",
    "begin_sync",
    "end_sync",
    "follow",
    "forget_cards",
    "mark_drawn",
    "match",
    "match_suggested",
    "store_page",
    "store_units",
    "tap",
    "tie",
    "unmatch",
]
