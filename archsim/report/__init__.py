"""What goes out: tables and pictures."""
