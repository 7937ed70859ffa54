"""Virtual machines: their life, their description, what is measured of them."""
