"""What members of a project may read of the ledger."""
