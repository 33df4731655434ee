"""Statistics: arrays in, arrays out; nothing here knows what a diamond is."""
