"""Remedies for whole layers: normalised, drawn anew, given centred inputs."""
