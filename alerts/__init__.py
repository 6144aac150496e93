"""What people must act on: the alert book, holding back, and notification."""
