"""Files of a broker's fills, as its users export them."""
