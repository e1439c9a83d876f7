"""The fifty most similar items of every item by cosine."""
