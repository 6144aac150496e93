"""What is stored: the journal, time series, records and recordings."""
