"""What measures a method of comparison: trials, metrics, stress and mixtures, whatever the method is made of."""
