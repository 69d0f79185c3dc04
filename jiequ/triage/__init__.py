"""Triage: what a report says, who handles it, where it is, and whether it is already known. Advice only; people decide."""
