"""Adapters to the world outside. Each knows its own library and the ports; none knows another."""
