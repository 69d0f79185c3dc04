"""Pages in WeChat, the roster's binding, plates."""
