"""The HTTP API for pipelines."""
