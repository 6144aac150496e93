"""The parts of the demonstration that make its past and play its rescue."""
