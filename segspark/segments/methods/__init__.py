"""How users are cut into segments: one file per method, all behind the interface of `method.py`."""
