"""Comparisons: optimizers on equal problems, models on equal bars."""
