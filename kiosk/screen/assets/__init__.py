"""What the browser gets: page, style, two scripts, pictograms. Drawn and written for this project."""
