"""Projects, tiers, and quotas that are one number across namespaces."""
