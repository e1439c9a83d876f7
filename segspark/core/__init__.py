"""The floor that every room stands on: the session, the lake, the contracts of its tables, errors and stages."""
