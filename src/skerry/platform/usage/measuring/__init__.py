"""What pods really used, as their nodes tell."""
