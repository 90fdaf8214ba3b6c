"""The instance's own certificates as time goes by: renewed while everything runs, and taken up by all who use them."""
