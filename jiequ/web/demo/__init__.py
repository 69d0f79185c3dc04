"""The demonstration: an invented street with its people and a few hundred cases. Same seed, same district."""
