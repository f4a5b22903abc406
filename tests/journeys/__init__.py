"""Journeys: a browser drives the whole running system, web, worker, beat, PostgreSQL and Redis."""
