"""Signs and labels for a station, on paper: over each bin, on the scales' platforms, on bins and lamps.

::

    settings, catalogue ──▶ sign.page       one a bin: pictogram, names, what to heed, where when it is full
                        ├─▶ labels.standing "nobody stands on it", one a scale
                        └─▶ labels.numbers  small ones with the bin's name, two a bin

The pictograms are the screen's own (``pictograms``), the typeface and the PDF those of the cards
(``kiosk.cards.printing``).
"""
