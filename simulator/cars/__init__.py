"""What each car does: control, dispatch, doors, runs and troubles."""
