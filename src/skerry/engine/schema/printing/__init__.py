"""Server-side printing: the columns of each kind and the cells of its rows, one file per family of kinds.

Source of columns, order and wording: `pkg/printers/internalversion/printers.go` of Kubernetes.
"""
