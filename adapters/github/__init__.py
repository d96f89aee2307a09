"""GitHub: its REST API as the core asks it, and its signed webhooks."""
