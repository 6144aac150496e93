"""What terminals send, and what the network does to it."""
