"""Credentials: tokens, certificate requests, issuers."""
