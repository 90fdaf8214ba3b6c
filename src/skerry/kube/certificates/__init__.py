"""X.509: what a certificate is to say, and making it."""
