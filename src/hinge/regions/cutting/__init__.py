"""The compiled engine, and what it returns."""
