"""How good lists are: what is held out, who is asked, and what is counted. Any method is judged beside popularity."""
