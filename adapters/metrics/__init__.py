"""`/metrics` in the format of Prometheus: what this process counts, and what stands in the database."""
