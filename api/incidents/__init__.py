"""Incidents: the ledger, the form, one incident's walk, their import and their JSON."""
