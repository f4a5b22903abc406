"""Writes of the cohort app."""
