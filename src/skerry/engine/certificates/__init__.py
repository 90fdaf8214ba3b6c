"""X.509: certificates that are wanted, making them, requests for them. Used by the API server and by the signer.

`wanted` is plain data; everything else imports `cryptography` and is itself imported only when it is needed.
"""
