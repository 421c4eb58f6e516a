"""The pure core: a problem in, a plan out. No database, no web, no clock of its own."""
