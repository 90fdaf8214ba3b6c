"""Orders at ACME servers (RFC 8555): which solver a name takes (`solvers`), and an order's way to its certificate
(`controller`)."""
