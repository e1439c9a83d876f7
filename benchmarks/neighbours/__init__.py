"""The nearest users by cosine of their factors."""
