"""Forecasts: what makes them, keeps them, scores and combines them."""
