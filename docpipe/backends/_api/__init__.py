"""Models behind an OpenAI-compatible server: what is sent, what comes back and what can go wrong on the way; what a call costs, how fast
the next may come, when to leave the host alone, and what is known already."""
