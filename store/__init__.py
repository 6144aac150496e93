"""Storage: the journal, time series, records and recordings."""
