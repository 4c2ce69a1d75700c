"""Numba over arrays: pure functions, scalars and arrays in and out."""
