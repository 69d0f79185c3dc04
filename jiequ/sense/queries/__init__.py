"""What the pages of sense read."""
