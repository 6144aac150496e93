"""The rules of doors and of the light curtain between them."""
