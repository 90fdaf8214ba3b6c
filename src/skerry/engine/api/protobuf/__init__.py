"""Kubernetes' protobuf for built-in kinds: kubectl and every typed Go client send it; few take nothing else.

`wire` splits and joins messages; `decode` makes objects of them and `encode` them of objects, by the field table in
`fields.json`, which `generate` makes from the Go types.
"""
