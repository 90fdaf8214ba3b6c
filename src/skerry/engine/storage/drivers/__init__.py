"""Storage drivers that come with the engine, one folder or file each; which there are says `all.py`."""
