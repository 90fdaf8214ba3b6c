"""What is told to the API about pods: `phase`, `containers`, `pod_status` decide, `writer` writes."""
