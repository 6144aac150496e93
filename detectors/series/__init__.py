"""Detectors on plain arrays of a series, with scikit-learn's conventions; they need none of Liftwatch's tables."""
