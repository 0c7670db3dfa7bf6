"""Bars from users' files: formats, cells, columns and symbols."""
