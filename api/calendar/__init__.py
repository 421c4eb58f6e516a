"""The working calendar as a page: holidays and 调休, edited with a reason and undone."""
