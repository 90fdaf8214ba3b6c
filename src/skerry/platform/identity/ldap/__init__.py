"""Signing in with a directory's password: LDAP servers."""
