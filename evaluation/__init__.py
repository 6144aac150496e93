"""Evaluation: alerts compared with the labels of a recording or a simulated world."""
