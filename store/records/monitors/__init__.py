"""What monitors store of themselves: the partition of each, its positions, and the latest state of its lifts."""
