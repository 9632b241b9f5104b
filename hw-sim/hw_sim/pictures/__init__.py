"""Photographs of QR codes that nobody took: seeded, with the texts that stand in them.

``album.photograph(seed, number)`` is the way in. A payload becomes modules (``payloads``), ink on a
face (``faces``), a used thing (``wear``), a thing held somewhere (``bends``, ``backgrounds``) or shown on
a phone (``screens``), in some light (``light``), through a lens onto a sensor (``optics``). ``kinds`` says
which of it makes which kind of photograph, ``plan`` takes it. Grey levels are float32, 0 black to 255
white, until the sensor.
"""
