"""What runs: layers, networks, and the files that hold them."""
