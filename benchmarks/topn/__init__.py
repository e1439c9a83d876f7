"""The ten best items of every user, from given factors."""
