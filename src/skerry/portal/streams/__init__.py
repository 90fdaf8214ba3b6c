"""What lasts longer than a page: terminals, logs, files, metrics. Bridges between a browser and the Kubernetes API."""
