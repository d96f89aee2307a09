"""Discord: the same deployment in a server, over the gateway and the REST API."""
