"""What those who run the platform see: its health, machines, requests, projects, tiers, catalogues. A file per page."""
