"""Six dataflows under equal storage area: how often each reuses a word at each level, and what that costs."""
