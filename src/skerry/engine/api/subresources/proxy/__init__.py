"""`pods/proxy` and `services/proxy`: HTTP through the API server to a pod."""
