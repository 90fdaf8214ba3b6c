"""Reading Kubernetes' protobuf bodies: kubectl and every typed Go client send them for built-in kinds.

Answers are JSON always (those clients accept it too). `wire` splits messages, `decode` makes objects of them by the
field table in `fields.json`, which `generate` makes from the Go types.
"""
