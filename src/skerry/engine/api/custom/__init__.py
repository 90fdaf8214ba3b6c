"""Serving custom resources: following the definitions in the store, converting between versions."""
