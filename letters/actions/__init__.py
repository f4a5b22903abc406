"""Writes of the letters app."""
