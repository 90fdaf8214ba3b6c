"""Helm as a program: run with somebody's rights, what it renders, what it keeps."""
