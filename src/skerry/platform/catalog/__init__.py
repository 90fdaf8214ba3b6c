"""Where charts come from: catalogues, what is in them, and the archives that are kept."""
