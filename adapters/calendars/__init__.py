"""Calendars that policies name."""
