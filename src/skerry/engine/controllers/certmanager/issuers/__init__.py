"""Issuers and ClusterIssuers: what they are set up for (`settings`), whether that works (`controller`, `account`)."""
