"""CertificateSigningRequests: signed when approved, removed when nobody needs them any more."""
