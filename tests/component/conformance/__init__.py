"""Kubernetes' conformance tests of its API, step by step, in our words: one test each, named after theirs."""
