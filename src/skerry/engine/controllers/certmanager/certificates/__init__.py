"""Certificates: what is wanted (`wanted`), whether and why it must be issued (`triggers`, `schedule`), what is written
(`secret`); `controller` acts on it."""
