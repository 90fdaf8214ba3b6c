"""Pod network, services and host exposure: CNI and nftables."""
