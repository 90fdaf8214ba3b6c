"""What checks ask of others than the cluster."""
