"""What projects use, counted once and kept."""
