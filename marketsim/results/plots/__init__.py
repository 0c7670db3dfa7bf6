"""The pictures of a symbol as files, drawn by matplotlib."""
