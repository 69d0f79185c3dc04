"""Text messages by a provider's HTTP API; what it takes are templates with values, so the words stand there, not here."""
