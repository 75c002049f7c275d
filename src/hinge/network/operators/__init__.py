"""Affine operators: what each does to a batch, and what it answers of itself."""
