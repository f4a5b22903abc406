"""Reads of the cohort app."""
