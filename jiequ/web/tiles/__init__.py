"""Map tiles: a process of its own that serves an operator's MBTiles and our own vector layers."""
