"""What it runs on: PE array, memory levels, clock, and the files that describe them."""
