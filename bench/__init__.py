"""What measures us against others on the same work in one run; never part of the product."""
