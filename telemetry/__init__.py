"""What lifts say: streams, units, the lift's own facts, columnar batches, trips and the pure wire formats."""
