"""Routes: which stops a walk takes in, in which order, along which streets, and how they vary."""
