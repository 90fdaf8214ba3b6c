"""How people and programs reach the Kubernetes API: by tokens of the platform, which end when membership ends."""
