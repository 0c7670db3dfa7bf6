"""Broker fills from exported files."""
