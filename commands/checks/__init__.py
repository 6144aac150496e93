"""What `liftwatch check-config` tries: one file for each kind of thing that a configuration names."""
