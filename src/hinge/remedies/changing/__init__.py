"""How a model is changed, and how everything is put back as it was."""
