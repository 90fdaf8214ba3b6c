"""What mounted volumes hold: measured when asked for, looked at once a minute so that a full one surprises nobody."""
