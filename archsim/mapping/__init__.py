"""Where the wings meet: layer x arch -> FoldPlan, the waist."""
