"""Forecasts from users' files: columns, and the rows of each symbol."""
