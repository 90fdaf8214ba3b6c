"""The portal, as far as it can be judged without a browser."""
