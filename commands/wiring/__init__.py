"""From the configuration to the objects it describes, one module for each kind, so that a command imports no other."""
