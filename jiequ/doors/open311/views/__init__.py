"""The door itself, and the pages around it."""
