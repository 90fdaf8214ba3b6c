"""PodDisruptionBudgets: how many of the selected pods may be taken away on purpose right now."""
