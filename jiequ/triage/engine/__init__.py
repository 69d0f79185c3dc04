"""The engine: pure Python and numpy, nothing of Django."""
