"""Questions about hotlines."""
