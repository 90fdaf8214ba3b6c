"""What Kubernetes says, in words for people. Pure; texts are the keys of the translations in `portal/locales`."""
