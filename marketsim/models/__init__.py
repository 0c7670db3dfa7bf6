"""Forecast models: one file each, one line in `registry.MODELS` each."""
