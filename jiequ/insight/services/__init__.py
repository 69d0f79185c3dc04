"""What insight writes down: its own counts and files; never a case."""
