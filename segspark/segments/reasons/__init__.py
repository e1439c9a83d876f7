"""Why a segment is what it is: rules that a person reads, and which features matter."""
