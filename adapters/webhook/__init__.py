"""Calls to the team's own services."""
