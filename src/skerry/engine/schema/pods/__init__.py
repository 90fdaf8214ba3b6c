"""The pod spec: its defaults and rules, shared by Pod and by every kind with a pod template.

Source: `pkg/apis/core/v1/defaults.go` and `pkg/apis/core/validation/validation.go`. Checks are generators of causes.
"""
