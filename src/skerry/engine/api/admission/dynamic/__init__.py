"""What webhooks and policies share: the requests they look at, what they are told of one, what is configured now."""
