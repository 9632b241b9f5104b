"""The station's rules, pure: frozen events in, effects out, time as an argument.

Nothing here does I/O, reads a clock, starts a thread or draws a random number; import-linter
holds that (``tests/house/test_layers.py``).
"""
