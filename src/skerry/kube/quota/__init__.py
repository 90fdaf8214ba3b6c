"""What objects use of the quotas of their namespace: pure functions that the API's admission and a controller share."""
