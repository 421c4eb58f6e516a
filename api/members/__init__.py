"""The team: members with contract and hours, imported from Excel, retired but never deleted."""
