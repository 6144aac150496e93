"""What people do at a lift, seen in its readings: observations with a begin and an end, which raise no alert."""
