"""How drivers come and go: sockets below `plugins_registry`, and what the API is told of the drivers of this node."""
