"""Admission webhooks: other people's HTTPS servers that change or refuse writes, called for what they ask for."""
