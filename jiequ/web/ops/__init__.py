"""What operators need: health, metrics, logs and the headers every answer carries."""
