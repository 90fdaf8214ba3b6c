"""Other people's clients, unmodified, against `skerry.testing`: no containers."""
