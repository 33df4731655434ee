"""Measurements, as ratios to something that anyone can run beside it: seconds differ between machines, ratios less."""
