"""The sandbox channel: a chat in the browser, on loopback."""
