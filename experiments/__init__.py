"""Questions put to a lab, and the figures that answer them."""
