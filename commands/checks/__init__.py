"""The checks of `liftwatch check-config`: one file for each part of the configuration."""
