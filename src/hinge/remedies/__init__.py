"""Changes to a model, each with a receipt: what changed, how far it moved, and how to undo it."""
