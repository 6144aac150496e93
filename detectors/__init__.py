"""What we conclude: vectorised scores over the whole fleet, findings, and the catalogue of rules."""
