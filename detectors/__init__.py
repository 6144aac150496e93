"""Tables of observations, rules over them, and the findings of rules."""
