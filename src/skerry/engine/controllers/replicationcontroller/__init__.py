"""ReplicationControllers: the ancestor of ReplicaSets, served by their controller."""
