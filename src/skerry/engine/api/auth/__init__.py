"""Who asks, and what they may do: wrappers around the verbs' handler."""
