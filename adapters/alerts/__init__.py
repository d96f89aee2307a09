"""Alerts of monitoring systems, as their webhooks bring them."""
