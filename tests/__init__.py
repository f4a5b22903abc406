"""Tests mirror the code: unit, integration, journeys in a browser, chaos."""
