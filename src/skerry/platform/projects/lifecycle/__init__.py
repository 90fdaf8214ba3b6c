"""From the request for a project to its end: requests and decisions, expiry and budgets, sleep and waking."""
