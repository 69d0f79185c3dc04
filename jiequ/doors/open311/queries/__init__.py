"""What the door reads."""
