"""What campaigns of the last months changed: measured all again, and where they are settled."""
