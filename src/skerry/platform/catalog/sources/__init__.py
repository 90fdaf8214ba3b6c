"""Where charts come from: a file or folder for each type of Catalog, behind one contract."""
