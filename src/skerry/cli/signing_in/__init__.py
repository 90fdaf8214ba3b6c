"""Signing in to a platform: `server` speaks with it, `browser` and `device` get a code, `kept` keeps what it gave."""
