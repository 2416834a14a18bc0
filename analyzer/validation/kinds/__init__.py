"""One kind of object a file: its group, its versions, its fields."""
