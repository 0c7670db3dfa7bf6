"""Whole runs: a symbol walked forward, many symbols in parallel, the next bars."""
