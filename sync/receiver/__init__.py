"""The reference receiver: the city's end, over any database that SQLAlchemy Core reaches.

All state is in the database, so any number of receivers run side by side. ``store`` decides and
commits, ``service`` listens and answers, ``verify`` reads everything again.
"""
