"""What a label or a header says: sizes and classes, kinds of columns, running numbers, statements."""
