"""The status of ResourceQuotas: what is used, recalculated when something changes."""
