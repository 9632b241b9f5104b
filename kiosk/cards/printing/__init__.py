"""Cards on paper: what stands where (``layout``), drawn as PDF, SVG or PNG.

::

    card ── layout.face, layout.slip ──▶ shapes (mm) ──▶ pdf.sheets   A4, five to a page, with cut marks
                                                     ├──▶ svg.drawing one card or slip, text as outlines
                                                     └──▶ png.picture one card or slip, 381 dpi
"""
