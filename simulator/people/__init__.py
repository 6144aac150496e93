"""Who travels: traffic, passengers, and the fleet that serves them."""
