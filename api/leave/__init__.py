"""Leave: asked for on the phone, decided by the lead, with what it breaks."""
