"""Who gets which action on which day, under budgets: our plan beside a greedy one on one machine."""
