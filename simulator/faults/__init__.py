"""What goes wrong: causes, symptoms, schedules and labels."""
