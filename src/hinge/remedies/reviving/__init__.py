"""Remedies for single units: dead ones come back, each in its own way."""
