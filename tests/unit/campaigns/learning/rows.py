"""Evidence in one line, and the logs of a simulated shop."""

from datetime import date, timedelta

from segspark.campaigns.evidence import Evidence, Sums

FIRST = date(2024, 1, 1)


def week(number):
    return FIRST + timedelta(days=7 * number)


def side(number, treated, users, converted, action="a", segment="s", **sums):
    """One side of the campaign of one week."""
    total = Sums(users=int(users), converted=int(converted), **sums)
    return Evidence(f"c{number:02d}", week(number), segment, action, treated, total)


def both(number, contacted, held_out, action="a", segment="s"):
    """Both sides, each as (users, converted)."""
    return [
        side(number, True, *contacted, action=action, segment=segment),
        side(number, False, *held_out, action=action, segment=segment),
    ]
