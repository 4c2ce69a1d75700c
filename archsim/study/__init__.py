"""Many results side by side: results, saved runs, roofline points."""
