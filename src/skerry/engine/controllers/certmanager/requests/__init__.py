"""CertificateRequests: approved, then answered by the issuer they name (`controller`); `answers` are those that need no
server."""
