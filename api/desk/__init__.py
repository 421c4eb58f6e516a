"""The team lead's desk: a draft roster edited by hand, with every consequence shown before."""
