"""Forecasts: making, caching, scoring and combining them."""
