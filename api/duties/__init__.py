"""The duty matrix as a grid to edit, and the task card of a patrol that prints from it."""
