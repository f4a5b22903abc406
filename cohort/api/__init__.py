"""The API for hospital units' computers, version 1: the same lists, checks and outcomes as the unit's pages."""
