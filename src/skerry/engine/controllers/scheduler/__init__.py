"""Binding pods to nodes: filters, scores, a cache of what is taken, and the loop that binds."""
