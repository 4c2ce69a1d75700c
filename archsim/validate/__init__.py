"""Published numbers against simulated ones: one file per suite, and what they share."""
