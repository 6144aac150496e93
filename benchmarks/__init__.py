"""What each step costs: `make bench` prints it in one table."""
