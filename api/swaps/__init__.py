"""Swaps: proposed and answered on the phone, checked by rule, approved by the lead."""
