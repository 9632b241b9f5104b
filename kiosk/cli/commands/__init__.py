"""The commands, by what they are about. Each module's ``add`` hangs its own into the program.

Whatever is heavy (cryptography, SQLite, OpenCV, devices) is imported inside the command that uses it.
"""
