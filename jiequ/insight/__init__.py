"""Insight: the supervisor's board, indicators, the brief of the day, exports. Reads only."""
