"""Accounts and programs' keys, kept by the administrator."""
