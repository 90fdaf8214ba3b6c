"""Admission policies: expressions, bound to requests by bindings, that refuse or change what is written."""
