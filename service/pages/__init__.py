"""What people see: pages made here, without scripts and without anything from outside."""
