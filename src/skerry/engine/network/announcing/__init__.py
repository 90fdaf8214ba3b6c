"""LoadBalancer addresses of pools on the local network: routed to us, answered for by ARP (decision 0041)."""
