"""Writes of places: authorities with their successors and forums, and postcodes, from published files."""
