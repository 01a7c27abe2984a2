"""Login providers that listen on loopback: what their documentation says they answer, and how they fail."""
