"""What the server says of itself: groups and resources, version, OpenAPI, health, metrics."""
