"""Who holds what, since when: from the caches of pods, claims and namespaces."""
