"""Volumes for claims: made, deleted, expanded; what external-provisioner and external-resizer do beside a driver."""
