"""The patroller's phone: works without signal, and what it gathers arrives once."""
