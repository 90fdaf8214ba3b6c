"""`pods/proxy`, `services/proxy`, `nodes/proxy`: HTTP and other protocols through the API server to what runs."""
