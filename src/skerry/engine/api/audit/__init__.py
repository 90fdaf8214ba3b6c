"""The audit log: who did what, when, from where, and what came of it. A policy file says what of it is kept."""
