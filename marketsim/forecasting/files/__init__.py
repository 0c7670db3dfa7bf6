"""Forecasts that somebody else made: which columns of a table say what, and the rows of each symbol."""
