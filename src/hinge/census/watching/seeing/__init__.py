"""Sees the passes of a model while it trains, and gets in no one's way."""
