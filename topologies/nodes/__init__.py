"""What a lab is made of: compute hosts, routers, guests, their wires."""
