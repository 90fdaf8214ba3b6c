"""Sessions: opaque tokens, whom they stand for, and how they end."""
