"""Pages of those who supervise and evaluate."""
