"""Single sign-on in front of apps: who opens an app's address is signed in first, and let in by the cluster's RBAC."""
