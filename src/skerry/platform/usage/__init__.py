"""What projects use, counted once and kept: by day, namespace and user.

`metering` knows who holds what since when, `ledger` adds it up and writes it down, `measuring` asks nodes what was
really used, `attributing` says whose a pod is, `reporting` and `serving` tell it.
"""
