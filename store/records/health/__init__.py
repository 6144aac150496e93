"""The health of lifts in the records: the present one of each, its days, and what it is reckoned from."""
