"""How a number is written in bits."""
