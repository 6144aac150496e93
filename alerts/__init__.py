"""The alert book: the life of an alert, and the inhibition of alerts that follow from another cause."""
