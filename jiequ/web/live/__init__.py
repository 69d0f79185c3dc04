"""Live events: a process of its own that tells open pages what changed, by server-sent events."""
