"""Which moves teach the triage something, and what. Pure."""

from __future__ import annotations

TYPE_TAUGHT = frozenset({"accept", "accept_dispatch", "correct"})
"""Moves in which somebody at the desk chooses the type."""

DEPARTMENT_TAUGHT = frozenset({"dispatch", "accept_dispatch", "return"})

NOT_OURS = frozenset({"emergency", "litigation", "secret", "outside_duty", "unlawful"})
"""Reasons of a refusal that say what the matter is; "the same again", "not found" and "too little said" do not."""

WRONG_DEPARTMENT = frozenset({"outside_duty_list", "other_authority"})
"""Reasons of a return that say that the department was the wrong one."""

OTHER = "other"
"""The triage's own class for what is not the street's."""
