"""The health of nodes: leases, conditions, taints."""
