"""What the columns of a sheet mean: by their headers, by what they hold, and as was chosen."""
