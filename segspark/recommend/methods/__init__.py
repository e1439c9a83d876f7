"""Ways to make lists, behind one interface: what a run writes is made as what is judged."""
