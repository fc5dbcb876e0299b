"""Models behind an OpenAI-compatible server: what is sent, what comes back, and what can go wrong on the way."""
