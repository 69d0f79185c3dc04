"""Questions of those who supervise and evaluate."""
