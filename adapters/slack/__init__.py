"""Slack: how cards and forms are drawn there, and how the channel is kept in step."""
