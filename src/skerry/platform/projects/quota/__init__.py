"""The quota of a project: one number across its namespaces and all ways in, held by admission."""
