"""Where objects live: one contract (`contract`), SQLite and memory behind it."""
