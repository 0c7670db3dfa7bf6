"""Files of bars as people have them: what a file holds, how its cells are written, and which bars they are."""
