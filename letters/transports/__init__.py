"""Ways to give letters and texts to a supplier, one module each."""
