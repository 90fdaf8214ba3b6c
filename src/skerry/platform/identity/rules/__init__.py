"""What providers say of people, and the groups that this means here."""
