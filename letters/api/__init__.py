"""The letters app's part of the API, version 1: when a letter will arrive."""
