"""What people do: load, decide, save (events, projection and outbox in one transaction)."""
