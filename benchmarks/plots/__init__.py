"""The plots of docs/world.md: the simulated world beside the formulas it follows, one module a plot."""
