"""How right we were: what was raised, held against what truly happened."""
