"""Words and numbers of the pages of sense."""
