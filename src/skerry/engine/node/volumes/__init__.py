"""Volumes of pods: a file per kind, `manager` for a pod's whole set, `projection` and `atomic` for files of the API.

What is not here (persistent volume claims and the cloud kinds) is refused by name: `kinds.UNSUPPORTED`.
"""
