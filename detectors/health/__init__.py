"""What the trips of many days show of a lift: slow changes, and from these with its alerts the health of each part."""
