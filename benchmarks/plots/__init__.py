"""The plots of docs/world.md, the world beside the formulas it follows, one module a plot; and those of docs/rules."""
