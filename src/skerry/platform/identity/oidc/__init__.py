"""Signing in at OpenID Connect providers, several at once: we are their relying party."""
