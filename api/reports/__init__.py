"""Weekly and monthly reports (研判报告) and the daily digest: one set of figures, several papers."""
