"""One app from inside: how it is, logs, terminal, files, usage, values, history. One file per page."""
