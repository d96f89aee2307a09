"""Charts as PNG, drawn by matplotlib."""
