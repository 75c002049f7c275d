"""The remedy that exchanges activations throughout a model."""
