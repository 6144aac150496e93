"""The messages of lifts: streams, units, columnar batches, the wire formats, and putting messages in order."""
