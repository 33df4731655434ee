"""Files → tables of cells: folders, archives, CSV, workbooks of several kinds, with the heads above their rows."""
