"""The process in which files of strangers are opened and pictures are worked on. No Django, no secrets in its environment."""
