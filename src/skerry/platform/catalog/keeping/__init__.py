"""What of upstream is written down: entries, and the archives that are kept so that an upstream may vanish."""
