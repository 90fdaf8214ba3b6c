"""The portal on a platform, on a test cluster."""
