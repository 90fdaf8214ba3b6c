"""Addresses for Services of type LoadBalancer: from pools (MetalLB's kinds), else the node's own (decision 0041)."""
