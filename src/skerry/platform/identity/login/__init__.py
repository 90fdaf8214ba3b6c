"""The login server: people sign in with a browser; command lines are given tokens on their behalf."""
