"""Implicit factors and the ten best items of every user, from pairs with text ids to lists with text ids."""
