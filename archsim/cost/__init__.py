"""Accesses x table -> pJ, mm2."""
