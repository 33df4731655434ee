"""A cell and a table of them, whatever file they came from: numbers, days, money, rounding."""
