"""What is counted is written once: totals and how far they reach, in one update."""
