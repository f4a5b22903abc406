"""Extracts: what suppliers send, checked row by row, and the Parquet store it ends in."""
