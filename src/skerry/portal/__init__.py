"""The web interface: a signed-in person's own rights, shown as pages."""
