"""What we remember: the journal, time series and records."""
