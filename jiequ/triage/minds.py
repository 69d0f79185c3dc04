"""The engine's parts that this app uses, under one roof: pure, numpy alone; what fits imports scikit-learn when it fits."""

from __future__ import annotations

from .engine.advice import advise, weigher_for
from .engine.contest import contest
from .engine.dispatch import Dispatcher
from .engine.drift import drift
from .engine.files import ModelRefused, load, save
from .engine.matter import Matter
from .engine.memory import Memory, Row, Similar
from .engine.model import TextModel, with_types
from .engine.start import start_model, support_for
from .engine.types import OTHER, EventType, Example, Report
from .engine.urgent import UrgentWord, starter_words

__all__ = [
    "OTHER",
    "Dispatcher",
    "EventType",
    "Example",
    "Matter",
    "Memory",
    "ModelRefused",
    "Report",
    "Row",
    "Similar",
    "TextModel",
    "UrgentWord",
    "advise",
    "contest",
    "drift",
    "load",
    "save",
    "start_model",
    "starter_words",
    "support_for",
    "weigher_for",
    "with_types",
]
