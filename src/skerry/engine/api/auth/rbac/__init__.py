"""Role-based access control: rules, who they are bound to, the decision, and what may be granted."""
